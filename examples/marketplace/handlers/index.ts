import { analytics } from "./analytics.ts";
import { auditTrail } from "./audit-trail.ts";
import { compliance } from "./compliance.ts";
import { consents } from "./consents.ts";
import { notifications } from "./notifications.ts";

/** Everything that follows the marketplace's events. */
export const handlers = [auditTrail, notifications, analytics, compliance, consents];
