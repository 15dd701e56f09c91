"""Writes what says who may do what on Kafka from the topic catalogue: python -m deploy.security"""

from deploy.security import kafka_acls, kafka_users

if __name__ == "__main__":
    for file, text in ((kafka_acls.FILE, kafka_acls.script()), (kafka_users.FILE, kafka_users.manifest())):
        file.write_text(text)
        print(f"wrote {file.name}")
