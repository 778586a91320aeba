/** Writes the card's types into the HubSpot project: `npm run types:hubspot-app`. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cardTypes } from "./print.ts";

writeFileSync(fileURLToPath(new URL("../app/src/app/cards/document.ts", import.meta.url).href), cardTypes());
