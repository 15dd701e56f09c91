"""Ask a process of this machine whether it is well: python -m chassis.probe PORT PATH

Exit code 1: it is not. The health check of a container runs this every few seconds, so it imports next to
nothing.
"""

import http.client
import sys

SECONDS = 4.0


def well(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if well(int(sys.argv[1]), sys.argv[2]) else 1)
