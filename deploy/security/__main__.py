"""Writes kafka-acls.sh from the topic catalogue: python -m deploy.security"""

from deploy.security.kafka_acls import FILE, script

if __name__ == "__main__":
    FILE.write_text(script())
    print(f"wrote {FILE.name}")
