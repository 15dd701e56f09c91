import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.errors import StackError
from deploy.local.jars import Jar


def a_jar(name: str = "thing", content: bytes = b"bytes") -> Jar:
    return Jar("org.example", name, "1.0", hashlib.sha256(content).hexdigest())


def served(content: bytes) -> jars.Fetch:
    def fetch(jar: Jar, folder: Path) -> Path:
        folder.mkdir(parents=True)
        path = folder / "downloaded"
        path.write_bytes(content)
        return path

    return fetch


def test_the_committed_list_has_kafkas_91_jars_and_one_logging_binding() -> None:
    listed = jars.read_list(jars.LIST.read_text())
    assert len(listed) == 92
    assert [jar.artifact for jar in listed if jar.artifact.startswith("slf4j-simple")] == ["slf4j-simple"]
    assert {jar.version for jar in listed if jar.group == "org.apache.kafka"} == {"4.3.1"}


def test_comments_and_empty_lines_are_no_jars() -> None:
    digest = "0" * 64
    assert jars.read_list(f"# heading\n\na.b:c:1 {digest}  # why\n") == [Jar("a.b", "c", "1", digest)]


@pytest.mark.parametrize("line", ["a:b:1", f"a:b {'0' * 64}", f"a:b:1 {'0' * 63}", f"../a:b:1/.. {'0' * 64}"])
def test_a_line_without_version_or_hash_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        jars.read_list(f"# heading\n{line}\n")


def test_a_jar_listed_twice_is_refused() -> None:
    line = f"a:b:1 {'0' * 64}\n"
    with pytest.raises(ValueError, match="twice"):
        jars.read_list(line * 2)


def test_a_verified_jar_gets_its_final_name_and_is_missed_no_more(tmp_path: Path) -> None:
    jar = a_jar()
    assert jars.missing([jar], tmp_path) == [jar]
    jars.download([jar], tmp_path, served(b"bytes"))
    assert jars.missing([jar], tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == [jar.filename]


def test_other_bytes_are_deleted_and_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"org.example:thing:1.0 is not the listed one") as caught:
        jars.download([a_jar()], tmp_path, served(b"evil"))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_jar_damaged_on_disk_is_removed_and_missed(tmp_path: Path) -> None:
    jar = a_jar()
    (tmp_path / jar.filename).write_bytes(b"half of it")
    assert jars.missing([jar], tmp_path) == [jar]
    assert not (tmp_path / jar.filename).exists()


def test_a_download_that_breaks_once_is_tried_again(tmp_path: Path) -> None:
    calls: list[Path] = []

    def fetch(jar: Jar, folder: Path) -> Path:
        calls.append(folder)
        if len(calls) == 1:
            raise ConnectionResetError("reset")
        return served(b"bytes")(jar, folder)

    jars.download([a_jar()], tmp_path, fetch)
    assert len(set(calls)) == 2


def test_what_another_process_is_bringing_is_waited_for(tmp_path: Path) -> None:
    jar = a_jar()
    fetched: list[Jar] = []

    def fetch(jar: Jar, folder: Path) -> Path:
        fetched.append(jar)
        return served(b"bytes")(jar, folder)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(jars.download, [jar], tmp_path, fetch) for _ in range(3)]:
            done.result()
    assert fetched == [jar]


def test_no_network_says_so_and_keeps_what_is_there(tmp_path: Path) -> None:
    here = a_jar("here")
    jars.download([here], tmp_path, served(b"bytes"))

    def fetch(jar: Jar, folder: Path) -> Path:
        raise OSError("Max retries exceeded with url …")

    with pytest.raises(StackError, match=r"no connection to the registry.*Connect to the network"):
        jars.download([a_jar("away")], tmp_path, fetch)
    assert jars.count_present([here, a_jar("away")], tmp_path) == 1
