/** Every bound and delay of the engine in one place, with its reason. Units stand last in the name. */

/* ---- the door */
/** Stripe and HubSpot stay under 1 MB; Segment allows 500 KB a batch. More is a mistake or an attack. */
export const deliveryBytesMax = 1_000_000;
/** NDJSON backfills on /v1/signals: 5,000 signals of 1 KB; a longer file is sent in parts. */
export const ndjsonBytesMax = 5_000_000;
export const ndjsonLinesMax = 5_000;
/** Signals of one delivery handed on at the same time: bounded so that one batch cannot hold a whole isolate. */
export const handOnConcurrency = 32;
/** A sender's clock may be this far ahead before we stop believing it and use the arrival time. */
export const clockAheadMaxMs = 10 * 60_000;
/** Configuration is cached in an isolate for so long: the longest a revoked key keeps working. */
export const configTtlMs = 10_000;
export const configEntriesMax = 2_000;
/** Remembered `identifier -> root` hints of one isolate; a hint is never trusted, only tried first. */
export const hintEntriesMax = 10_000;

/* ---- a signal */
export const identifiersMax = 20;
export const traitsMax = 40;
export const traitLengthMax = 500;
export const kindPattern = /^[a-z][a-z0-9_]{1,49}$/;
/** Segment allows 32 KB a message. With bounded traits and identifiers a log row stays far below SQLite's 2 MB. */
export const propertiesBytesMax = 32_000;

/* ---- an identity */
/** Moves followed before we give up and retry later; DESIGN §6.1. Chains this long do not occur after compression. */
export const hopsMax = 40;
/** Identifiers of one person that even a person's word cannot exceed; policy sets the usual bound. The state stays one small row. */
export const membersMax = 200;
/** Longest a decision waits for identifiers that are being linked; DESIGN §6.2. */
export const linkWaitMs = 2_000;
/** A signal that the queue took in is normally applied within this; of one that took longer it is written down when it was. */
export const queueDelayMs = 10 * 60_000;
/** The alarm behind work that normally finishes at once: fires only when the turn after the commit was lost. */
export const guardMs = 5_000;
/** Tail entries after which a root writes its snapshot, so that a wake-up replays little. */
export const tailEntriesMax = 64;
/** Signals of somebody who cannot be reached yet that are decided on again with each new one; the one that asked for a follow-up stays. */
export const waitingSignalsMax = 25;
/** Days of per-kind counts that scoring looks back on. */
export const countDaysMax = 180;
/** Transfer of a merge travels in chunks below the 32 MB RPC limit; entries per chunk. */
export const absorbEntriesMax = 500;

/* ---- an account */
/** The engine stops at this share of a published limit (G15). */
export const budgetShare = 0.95;
/** Share of the budget that only the hot tier may use (DESIGN §6.4). */
export const hotReserveShare = 0.2;
/** Requests under way at once towards one CRM account. */
export const inFlightMax = 6;
/** A CRM that left so many requests in a row unanswered is asked with one action at a time, until it answers. */
export const silentAfter = 3;
/** A CRM request that takes longer has an unknown outcome. HubSpot gives up itself at 100 s (524). */
export const crmDeadlineMs = 20_000;
/** An identity waits this long for a receipt before it lets go and is called back. */
export const submitWaitMs = 5_000;
/** A new follow-up waits so long to be told whose the person's record is in a CRM; then it goes by what signals have said. */
export const recordOwnersWaitMs = 2_500;
/** An outlet waits so long for the tasks of a follow-up, to name them; then it tells without. */
export const notifyWaitMs = 30_000;
/** How long an identity leaves an action alone that the account has taken over; it asks again then, in case a call back was lost. */
export const takenOverMs = 120_000;
/** Attempts or look-ups that ended in "not now" before a person is asked: with back-off more than a day of outage. */
export const attemptsMax = 80;
/** Unfinished actions an account loads at a time; the next ones are loaded when these are through. */
export const queueLoadMax = 5_000;
/** Owners are read again after this. */
export const ownersTtlMs = 3_600_000;
/** Refresh a token when this share of its life has passed, so that the old one still serves meanwhile. */
export const refreshAtShare = 0.5;
/** A refresh token that was not used for so long is refreshed: it ends after 30 days (CRM-FACTS §2.4). */
export const quietMs = 7 * 86_400_000;
/** What a record shows is sent to the account within this; a call that took longer is asked for again. */
export const recordFreshMs = 2_000;
/** Accounts that one run of the cron asks at once. */
export const keepConcurrency = 6;
/** Reads after an attempt, both empty, before a plain create may be tried again where no server key exists (CRM-FACTS §1.3). */
export const settleReadsMs: readonly number[] = [60_000, 600_000];

/* ---- hearing what people do in a CRM */
/** From one look at our open tasks to the next: what somebody does there is known within a minute. */
export const hearEveryMs = 50_000;
/** Requests of one look: 2,000 tasks in HubSpot, under 3 % of its budget; what does not fit is looked at the next time. */
export const hearRequestsMax = 20;
/** Rows may show up late, and clocks differ: changes are asked for from so long before the last look. */
export const hearOverlapMs = 5 * 60_000;
/** All open tasks are read anew after this, also those that say nothing of changes: of one that left the recycle bin nobody tells. */
export const hearAllEveryMs = 6 * 3_600_000;
/** So long after our own write an older version may still be read. */
export const hearSettleMs = 60_000;
/** Rows of the ledger of actions read at a start to find the open tasks; beyond twice that the older ones are remembered by name. */
export const hearRowsMax = 2_000;
/** Tasks remembered by name. With more than that a start reads more rows. */
export const hearOlderMax = 5_000;

/** From one look at the records that became one to the next, where the CRM does not tell of them: 288 requests a day. */
export const joinEveryMs = 5 * 60_000;
/** The first look at an account goes back so far; the recycle bin would go back 15 days. */
export const joinFirstMs = 86_400_000;
/** How far the looks have come is written down that often where there was nothing to tell. */
export const joinKeepMs = 6 * 3_600_000;

/* ---- the projector */
/** Projections gathered into one D1 batch: by time and by number. */
export const projectorWindowMs = 250;
export const projectorRowsMax = 200;
/** Journal chunks older than this are moved to R2 by the cron. */
export const journalKeepMs = 10 * 60_000;

/* ---- teams */
/** A follow-up may be asked about for so long after it was closed: as long as keys are kept. */
export const teamKeepMs = 35 * 86_400_000;
/** Closed follow-ups that a team object forgets at a time. */
export const teamPruneMax = 5_000;

/* ---- a company */
/** People of one company whose counts are added up, most recently active first. */
export const companyLeadsMax = 500;

/* ---- exceptions */
/** Overdue questions, and follow-ups with a broken promise, that one cron run looks at per ledger shard; the rest comes with the next one. */
export const overdueMax = 200;
/** From one cron run to the next (wrangler.toml). */
export const sweepMs = 5 * 60_000;

/* ---- likely duplicates */
/**
 * Leads compared with each other at a time. Memory sets it, not time: 5,000 need about 80 MB of the 128 MB of an isolate and
 * 4 s of CPU, 10,000 do not fit (`node test/bench/likeness.ts`).
 */
export const likelyLeadsMax = 5_000;
/** Above it, so many of them are the most recently active ones; the rest move through all others, run by run. */
export const likelyRecentLeads = 2_500;
/** What one cron run compares: leads, and `likelyBaseLeads` per workspace for what every model costs. About 10 s of CPU of 30 s. */
export const likelyRunLeadsMax = 12_000;
export const likelyBaseLeads = 1_000;
/** Workspaces one cron run looks at. Each costs a handful of the 1,000 calls a Worker may make. */
export const likelyWorkspacesMax = 60;
/** Pairs about which one cron run asks identity: two calls each, and two or three for the ledger. */
export const likelyPairsMax = 100;
/** Open proposals of a workspace that one run looks at again. */
export const likelyOpenMax = 25;
/** Merges without a person, per workspace and run: a mistake in a policy is seen before it has done much. */
export const likelyMergesMax = 10;
/** A workspace is compared once in this time; the cron's runs within it each take their share of the workspaces. */
export const likelyEveryMs = 3_600_000;
/** As in wrangler.toml. */
export const cronEveryMs = 300_000;

/* ---- the policy */
/** A policy as it is sent: a hundred times the default one. */
export const policyBytesMax = 1_000_000;
/** As it is stored, with every default written out; D1 takes rows of 2 MB. */
export const policyStoredBytesMax = 1_500_000;
/** Lists within lists; the document itself needs about twelve. */
export const policyDepthMax = 24;
/** Drafts of a workspace that are not activated yet. */
export const policyDraftsMax = 50;
/** Mistakes and sentences that one answer lists. */
export const policyMistakesMax = 50;

/* ---- backtests */
/** Signals of one backtest in the Worker, those before its range included: about an hour of the cron's runs. */
export const backtestSignalsMax = 1_000_000;
/** Bytes of history that one reads; decisions are the greater part of it. */
export const backtestBytesMax = 6_000_000_000;
/** What was known of a lead when the range begins: scores of 30 days ago are a twentieth of what they were. */
export const backtestLookbackMs = 30 * 86_400_000;
/** Up to so much is done behind the request: some 50,000 signals, and fewer calls than the 1,000 that it may make. */
export const backtestAtOnceBytesMax = 60_000_000;
export const backtestAtOnceSegmentsMax = 400;
/** One slice of gathering: segments in memory and calls made. */
export const backtestSliceBytes = 12_000_000;
export const backtestSliceSegments = 60;
/** Leads are replayed in parts: about 10,000 signals each with those that they share an object with, far below 64 MB of state. */
export const backtestPartBytes = 24_000_000;
export const backtestPartsMax = 64;
/** Slices of one cron run: some 20 s of CPU of its 30. */
export const backtestSlicesPerRun = 10;
/** Nobody else works on a backtest for so long after somebody began: longer than a run may take. */
export const backtestLeaseMs = 4 * 60_000;
/** Differences are written in files of about this size. */
export const backtestFileBytes = 2_000_000;
export const backtestsOpenMax = 5;

/** Follow-ups that one request to undo a policy looks at: a call each, and one more where the lead has moved. */
export const undoPageMax = 100;

/* ---- the API */
export const pageSizeMax = 200;
