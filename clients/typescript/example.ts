// A rating posted by a portal, its outcome and the department's figures: `rate` gives the three.
import { aggregation, intake, verification } from "./index.js";

// The answer, unless it is a problem.
function have<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

export interface Where {
  intake: string;
  verification: string;
  aggregation: string;
  key: string;
}

// `read` gets a challenge's id and picture's address, and gives what the citizen reads in it.
export async function rate(where: Where, officerId: string, phone: string, read: (id: string, image: string) => Promise<string>) {
  const visit = { Authorization: `Bearer ${where.key}`, "Hailong-Session": crypto.randomUUID(), "X-Forwarded-For": "203.0.113.7" };
  const ratings = intake({ baseUrl: where.intake, headers: visit });
  const decisions = verification({ baseUrl: where.verification });
  const figures = aggregation({ baseUrl: where.aggregation });

  const edition = have(await ratings.GET("/v1/edition"));
  const officer = have(await ratings.GET("/v1/directory/officers/{officer_id}", { params: { path: { officer_id: officerId } } }));
  const challenge = have(await decisions.POST("/v1/challenges", { body: { edition_id: edition.id, kind: "digits" } }));
  if (!("image" in challenge)) throw new Error("no picture");
  const answer = edition.instrument.answers[0];
  if (!answer) throw new Error("an edition without answers");
  // After a time-out or a 503, the same again under the same key: it counts once.
  const taken = have(
    await ratings.POST("/v1/ratings", {
      params: { header: { "Idempotency-Key": crypto.randomUUID() } },
      body: {
        edition_id: edition.id,
        officer_id: officerId,
        answer: answer.id,
        phone,
        consent: true,
        challenge: { id: challenge.id, answer: await read(challenge.id, where.verification + challenge.image) },
      },
    }),
  );
  const outcome = have(
    await decisions.GET("/v1/ratings/{rating_id}/outcome", { params: { path: { rating_id: taken.rating_id }, query: { wait: 20 } } }),
  );
  const unit = have(
    await figures.GET("/v1/satisfaction/{kind}/{scope_id}", { params: { path: { kind: "units", scope_id: officer.unit.id } } }),
  );
  return { taken, outcome, unit };
}
