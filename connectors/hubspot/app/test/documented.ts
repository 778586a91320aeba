/**
 * What HubSpot's pages say of each file, as JSON Schemas of our own: HubSpot's are given to logged-in accounts only. Read in
 * November 2026 (developers.hubspot.com/docs/apps/developer-platform: build-apps/app-configuration, add-features/ui-extensions,
 * add-features/configure-webhooks, add-features/custom-workflow-actions). Stricter than those pages in one way: a member that
 * we do not use is refused, so that a slip of the pen is noticed here and not at the upload. Keyed by HubSpot's component types.
 */
const text = { type: "string", minLength: 1 };
const texts = { type: "array", items: text };
const https = { type: "string", pattern: "^https://[a-z0-9.-]+(/[^\\s?#]*)?$" };

/** `hubspot.fetch` compares origins, so that a path would never match. */
const origin = { type: "string", pattern: "^https://[a-z0-9.-]+$" };
const typed = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

const app = typed(
  {
    name: { type: "string", maxLength: 200, pattern: "^\\S(.*\\S)?$" },
    description: { type: "string", minLength: 1, maxLength: 8192 },
    // An app of the marketplace may use OAuth only.
    distribution: { const: "marketplace" },
    auth: typed({
      type: { const: "oauth" },
      redirectUrls: { type: "array", items: https, minItems: 1 },
      requiredScopes: texts,
      optionalScopes: texts,
      conditionallyRequiredScopes: texts,
    }),
    permittedUrls: typed({ fetch: { type: "array", items: origin }, iframe: texts, img: texts }),
    support: typed({ supportEmail: { type: "string", format: "email" }, documentationUrl: https, supportUrl: https }),
  },
  ["name", "description", "distribution", "auth", "permittedUrls"],
);

const card = typed({
  name: text,
  description: text,
  location: { enum: ["crm.record.tab", "crm.record.sidebar", "crm.preview", "helpdesk.sidebar"] },
  entrypoint: { type: "string", pattern: "^/app/cards/[A-Za-z]+\\.tsx$" },
  objectTypes: { type: "array", items: { enum: ["contacts", "companies"] }, minItems: 1, uniqueItems: true },
});

const settings = typed({ entrypoint: { type: "string", pattern: "^/app/settings/[A-Za-z]+\\.tsx$" } });

const crmObject = {
  oneOf: [
    typed({
      subscriptionType: {
        enum: ["creation", "deletion", "merge", "restore", "associationChange"].map((type) => `object.${type}`),
      },
      objectType: text,
      active: { type: "boolean" },
    }),
    typed({
      subscriptionType: { const: "object.propertyChange" },
      objectType: text,
      // HubSpot does not let anybody subscribe to this one.
      propertyName: { type: "string", pattern: "^[a-z][a-z0-9_]*$", not: { const: "hs_lastmodifieddate" } },
      active: { type: "boolean" },
    }),
  ],
};

const webhooks = typed({
  settings: typed({ targetUrl: https, maxConcurrentRequests: { type: "integer", minimum: 5 } }),
  subscriptions: typed({
    crmObjects: { type: "array", items: crmObject, maxItems: 1000 },
    legacyCrmObjects: { type: "array", maxItems: 0 },
    hubEvents: {
      type: "array",
      items: typed({ subscriptionType: { const: "contact.privacyDeletion" }, active: { type: "boolean" } }),
    },
  }),
});

const inputField = typed({
  typeDefinition: typed(
    {
      name: { type: "string", pattern: "^[a-z][a-z_]*$" },
      type: { enum: ["string", "number", "bool", "datetime", "enumeration"] },
      fieldType: { enum: ["text", "textarea", "number", "booleancheckbox", "date", "select"] },
      options: { type: "array", items: typed({ value: text, label: text }), minItems: 1 },
    },
    ["name", "type", "fieldType"],
  ),
  supportedValueTypes: { type: "array", items: { enum: ["STATIC_VALUE", "OBJECT_PROPERTY"] }, minItems: 1 },
  isRequired: { type: "boolean" },
});
const words = { type: "object", additionalProperties: text };

const workflowAction = typed({
  actionUrl: https,
  isPublished: { type: "boolean" },
  supportedClients: { type: "array", items: typed({ client: { enum: ["WORKFLOWS", "AGENTS"] } }), minItems: 1 },
  inputFields: { type: "array", items: inputField },
  labels: typed({
    en: typed({
      actionName: text,
      actionDescription: text,
      actionCardContent: text,
      inputFieldLabels: words,
      inputFieldDescriptions: words,
    }),
  }),
  objectTypes: { type: "array", items: { enum: ["CONTACT", "COMPANY"] }, minItems: 1 },
});

export const documentedSchemas = {
  APPLICATION: app,
  CARD: card,
  SETTINGS: settings,
  WEBHOOKS: webhooks,
  WORKFLOW_ACTION: workflowAction,
};
