// Typed clients of the three APIs: openapi-fetch, with the types of their documents.
import createClient, { type ClientOptions } from "openapi-fetch";
import type { paths as Aggregation } from "./aggregation.js";
import type { paths as Intake } from "./intake.js";
import type { paths as Verification } from "./verification.js";

export type { Aggregation, Intake, Verification };

export const intake = (options: ClientOptions & { baseUrl: string }) => createClient<Intake>(options);
export const verification = (options: ClientOptions & { baseUrl: string }) => createClient<Verification>(options);
export const aggregation = (options: ClientOptions & { baseUrl: string }) => createClient<Aggregation>(options);
