"""`python -m tests.support.unreading_aggregation`: aggregation's commands in a deploy that reads nothing.

UNREADING_REASON is the reason its dead letters give.
"""

import os

from services.aggregation import folding
from services.aggregation.__main__ import cli
from tests.support.dead_letters import unreading

if __name__ == "__main__":
    vars(folding)["decode_data"] = unreading(os.environ["UNREADING_REASON"])
    cli()
