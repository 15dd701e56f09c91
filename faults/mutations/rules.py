"""What may count once only: keys, challenges, codes, and ratings of one phone for one officer.

All in one copy, for each breaks another rule of the checker. The fault only moves work between workers.
"""

from faults.mutations.mutation import Mutation

_RATINGS = "services/verification/domain/ratings.py"
_CODES = "services/verification/phone_codes.py"
_ANY = "freeze verification-worker"

RULES = (
    Mutation(
        "challenge-counts-twice",
        "3: a challenge counts once",
        ((_RATINGS, "    if not claims[Claim.CHALLENGE]:\n", "    if claims[Claim.CHALLENGE] is None:\n"),),
        _ANY,
        "doubled",
        "2 got past `challenge_used`",
        group="rules",
    ),
    Mutation(
        "wrong-answer-accepted",
        "3: a challenge counts with its answer only",
        ((_RATINGS, "    if check is ChallengeCheck.WRONG:\n", "    if check is None:\n"),),
        _ANY,
        "changed",
        "must be challenge_wrong",
        group="rules",
    ),
    Mutation(
        "code-of-another-rating",
        "3: a phone code counts for the rating it was made for",
        (
            (_CODES, "+ rating_id.bytes + code, hashlib", "+ code, hashlib"),
            (_CODES, "salt=salt, n=", 'salt=b"", n='),
            (
                "services/verification/adapters/decisions.py",
                '        return {row["rating_id"]: rows.codes(row) for row in found}\n',
                '        every = await self._pool.fetch("SELECT * FROM phone_codes")\n'
                "        codes = tuple(code for row in every for code in rows.codes(row).codes)\n"
                '        return {row["rating_id"]: HashedCodes(None, codes) for row in found}\n',
            ),
        ),
        _ANY,
        "changed",
        "accepted without its code",
        group="rules",
    ),
    Mutation(
        "key-reuse-not-noticed",
        "2: a key stands for one rating: another body under it is told so",
        (
            (
                "services/intake/submitting.py",
                "            raise KeyReused\n",
                "            pass\n",
            ),
            (
                _RATINGS,
                "    if not claims[Claim.IDEMPOTENCY_TOKEN]:\n",
                "    if claims[Claim.IDEMPOTENCY_TOKEN] is None:\n",
            ),
        ),
        _ANY,
        "doubled",
        "2 got past `idempotency_key_reused`",
        group="rules",
    ),
    Mutation(
        "duplicate-counts",
        "2: one accepted rating for each phone, officer and window",
        ((_RATINGS, "    if not claims[Claim.SLOT]:\n", "    if claims[Claim.SLOT] is None:\n"),),
        _ANY,
        "doubled",
        "2 got past `duplicate`",
        group="rules",
    ),
)
