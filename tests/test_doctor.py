"""The doctor: finds the damage that is there and nothing else, and what it says mends it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from bench import large
from crawler.crawl import Crawl
from library import doctor, files
from library.__main__ import main
from library.checks import finding, places, vectors
from library.checks.finding import Finding, Patient
from library.crawl_lock import CrawlLock
from library.database import PAGE_BYTES, Database
from library.errors import CrawlBusyError, IndexBusyError
from library.salvage import salvage
from library.settings import Settings, load_settings
from library.thumbnails import Thumbnails
from mlx_clip import Encoder
from tests.pictures import fill

ROOT = Path(__file__).parent.parent
PICTURES = 12


@pytest.fixture(scope="module")
def sound(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and the library of them, to be copied by each test that damages it."""
    folder = tmp_path_factory.mktemp("sound")
    fill(folder / "photos", PICTURES)
    settings = _settings(folder / "data")
    with closing(Database(settings.database_path)) as database:
        Crawl(settings, database, encoder).run([os.fsencode(folder / "photos")])
    return folder


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    """A library of its own, of the photos that all tests share."""
    shutil.copytree(sound / "data", tmp_path / "data")
    return tmp_path / "data"


def _settings(data: Path) -> Settings:
    return load_settings({"DATA_DIR": str(data), "CLIP_MODEL": "starter"})


def examined(data: Path) -> dict[str, Finding]:
    return {result.name: result.finding for result in doctor.examine(_settings(data))}


def wrong(data: Path) -> dict[str, Finding]:
    return {name: found for name, found in examined(data).items() if found.state == "wrong"}


def is_well(data: Path) -> bool:
    """By every check but those of index and model, which start processes of their own."""
    with closing(Database(data / "library.sqlite")) as database:
        patient = Patient(_settings(data), database)
        checks = [*doctor.database_checks(patient), *doctor.CHECKS]
        return all(
            check.look(patient).state == "ok"
            for check in checks
            if check.name not in ("index", "model")
        )


def looked(data: Path, name: str) -> Finding:
    """One check alone."""
    (check,) = [check for check in doctor.CHECKS if check.name == name]
    with closing(Database(data / "library.sqlite")) as database:
        return check.look(Patient(_settings(data), database))


def obey(command: str | None, encoder: Encoder) -> None:
    """Run a command that the doctor printed, in this process: loading the model takes a second."""
    assert command
    for part in command.split(" && "):
        python, m, module, *arguments = shlex.split(part)
        assert (python, m) == ("python", "-m")
        if module == "library":
            assert main(arguments) == 0
        else:
            option, data, *folders = arguments
            assert (module, option) == ("crawler", "--data")
            settings = _settings(Path(data))
            with closing(Database(settings.database_path)) as database:
                roots = [os.fsencode(folder) for folder in folders]
                Crawl(settings, database, encoder).run(roots or files.roots(database.connection))


def execute(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / "library.sqlite")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def one(data: Path, query: str) -> object:
    with closing(sqlite3.connect(data / "library.sqlite")) as connection:
        return connection.execute(query).fetchone()[0]


def flip(data: Path, name: str, at: int = 0) -> None:
    """Damage the first page of a table or an index, as a bad disk does."""
    root = one(data, f"SELECT rootpage FROM sqlite_schema WHERE name = '{name}'")
    assert isinstance(root, int)
    flip_byte(data / "library.sqlite", (root - 1) * PAGE_BYTES + at % PAGE_BYTES)


def flip_byte(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 0xFF
    path.write_bytes(content)


def test_a_sound_library_is_well_and_stays_as_it_is(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.read_bytes() for p in data.rglob("*") if p.is_file() and p.suffix != ".lock"}
    assert main(["doctor", "--data", str(data)]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("All is well.\n")
    assert "wrong" not in printed
    assert "skipped" not in printed
    assert f"{PICTURES} vectors; {PICTURES} of them asked for find themselves" in printed
    for path in (data / "library.sqlite", *data.glob("thumbnails/*/*")):
        assert path.read_bytes() == before[path]


def test_what_is_derived_and_wrong_is_found_and_mended(data: Path) -> None:
    nan = np.full(576, np.nan, np.float32).tobytes().hex()
    long = np.full(576, 1, np.float32).tobytes().hex()
    execute(
        data,
        "UPDATE vectors SET vector = x'00' WHERE id = 1",
        f"UPDATE vectors SET vector = x'{nan}' WHERE id = 2",
        f"UPDATE vectors SET vector = x'{long}' WHERE id = 3",
    )
    gone, truncated, empty, *_ = sorted(data.glob("thumbnails/*/*.jpg"))
    gone.unlink()
    truncated.write_bytes(truncated.read_bytes()[:-200])
    empty.write_bytes(b"")
    stranger = gone.with_name(f"{gone.stem[:2]}{'0' * 30}.jpg")
    stranger.write_bytes(b"x")
    gone.with_suffix(".123-456").write_bytes(b"x")
    (data / "chroma.damaged-77").mkdir()
    (data / "filelist.partial").write_bytes(b"x")

    found = wrong(data)
    texts = {name: finding.text for name, finding in found.items()}
    assert texts.pop("vectors: lengths").endswith("not as long as their model's: 1")
    assert texts.pop("vectors: values").endswith("not of norm 1: 2 of 11")
    lacking, strangers = texts.pop("thumbnails: files").split("; ")
    assert lacking.startswith("pictures without one: 1 (")
    assert strangers == "files that are no picture's: 2"
    assert texts.pop("thumbnails: pictures").endswith("cannot be opened: 3 of 12")
    assert texts.pop("leftovers") == "left behind: chroma.damaged-77, filelist.partial"
    texts.pop("index", None)  # how Chroma answers to what is no number is its own affair
    assert not texts

    command = found["vectors: values"].command
    assert command
    python = f'python() {{ {shlex.quote(sys.executable)} "$@"; }}'
    subprocess.run(["sh", "-c", f"{python}; {command}"], cwd=ROOT, check=True, capture_output=True)
    assert not wrong(data)
    assert one(data, "SELECT count(*) FROM vectors") == PICTURES
    assert gone.exists()
    assert not stranger.exists()


@pytest.mark.fault("database damaged")
@pytest.mark.parametrize(
    ("page", "at"),
    [("files", 0), ("vectors", 0), ("sqlite_autoindex_images_1", 0), ("files_by_mtime", -1)],
)
def test_a_damaged_page_is_found_and_what_can_be_read_is_saved(
    page: str, at: int, data: Path, encoder: Encoder
) -> None:
    flip(data, page, at)
    found = wrong(data)
    assert found
    assert all(name.startswith(("database:", "references:")) for name in found)
    obey(next(iter(found.values())).command, encoder)
    assert is_well(data)
    kept = list(data.glob("library.sqlite.damaged-*"))
    assert len(kept) == 1
    encoded = json.loads(str(one(data, "SELECT summary FROM runs ORDER BY id DESC")))["encoded"]
    assert encoded == (PICTURES if page == "vectors" else 0)


@pytest.mark.fault("database damaged")
def test_of_a_damaged_table_only_the_damaged_page_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    large.build(path, 2_000, 64)
    middle = one(tmp_path, "SELECT vector FROM vectors WHERE id = 1000")
    assert isinstance(middle, bytes)
    flip_byte(path, path.read_bytes().index(middle) // PAGE_BYTES * PAGE_BYTES)
    assert "the old one is" in salvage(path)
    kept = one(tmp_path, "SELECT count(*) FROM vectors")
    assert isinstance(kept, int)
    assert 1_998 - PAGE_BYTES // len(middle) <= kept < 1_998
    assert one(tmp_path, "SELECT count(*) FROM files") == 2_000
    assert one(tmp_path, "PRAGMA integrity_check") == "ok"


@pytest.mark.fault("database damaged")
def test_a_database_that_is_none_any_more_is_put_aside(
    data: Path, sound: Path, encoder: Encoder
) -> None:
    (data / "library.sqlite").write_bytes(b"a diary " * 1000)
    ((name, found),) = wrong(data).items()
    assert name == "database"
    assert found.command is not None
    assert found.command.endswith(" FOLDER...")
    obey(found.command.replace("FOLDER...", str(sound / "photos")), encoder)
    assert is_well(data)
    (kept,) = data.glob("library.sqlite.damaged-*")
    assert kept.read_bytes() == b"a diary " * 1000


def test_a_reference_to_nothing_is_found_and_mended(data: Path, encoder: Encoder) -> None:
    execute(
        data,
        """INSERT INTO files (path, folder_id, size, mtime_ns, image_id, missing_since)
        SELECT x'2f6e6f', folder_id, 1, 1, 4, 1.0 FROM files WHERE id = 4""",
        "DELETE FROM images WHERE id = 4",
    )
    found = wrong(data)
    assert set(found) == {"references: files", "references: vectors"}
    obey(found["references: vectors"].command, encoder)
    assert is_well(data)


def test_a_database_that_is_only_locked_is_not_taken_for_a_damaged_one(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("library.database.BUSY_TIMEOUT_SECONDS", 0.1)
    execute(data, "DELETE FROM schema_migrations WHERE name = '002_crawl'")
    with closing(sqlite3.connect(data / "library.sqlite")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        found = examined(data)["database"]
        assert "locked" in found.text
        assert found.command is None
        assert main(["doctor", "--mend", "--data", str(data)]) == 2
    assert not list(data.glob("library.sqlite.damaged-*"))


def lose(data: Path) -> None:
    shutil.rmtree(data / "chroma")


def garble(data: Path) -> None:
    (data / "chroma" / "chroma.sqlite3").write_bytes(b"garbage " * 1000)


def outgrow(data: Path) -> None:
    """As if Chroma had lost a vector that it took."""
    execute(
        data,
        """INSERT INTO images SELECT 99, x'00', 1, 1, 'JPEG', 1, 1, '#000000', null, null, null,
            null, null""",
        """INSERT INTO vectors SELECT 99, space_id, 99, vector FROM vectors WHERE id = 1""",
        "INSERT INTO indexed_vectors SELECT collection, 99 FROM indexed_vectors LIMIT 1",
    )


def exchange(data: Path) -> None:
    """As if Chroma had mixed its vectors up."""
    turned = np.eye(576, dtype=np.float32)[7].tobytes().hex()
    execute(data, f"UPDATE vectors SET vector = x'{turned}' WHERE id = 5")


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lose, "there is no index"),
        (garble, "the index does not open"),
        (outgrow, "vectors that the index took and has lost: 1"),
        (exchange, "vectors that do not find themselves in the index: 1 of 12"),
    ],
)
def test_an_index_that_does_not_answer_as_it_should_is_found(
    damage: object, text: str, data: Path, encoder: Encoder
) -> None:
    assert callable(damage)
    damage(data)
    found = looked(data, "index")
    assert found.state == "wrong"
    assert found.text.startswith(text)
    if damage is garble:  # one way to mend, whatever it was
        obey(found.command, encoder)
        assert looked(data, "index").state == "ok"


def test_an_index_that_somebody_holds_is_not_looked_into(data: Path) -> None:
    with FileLock(data / "chroma.lock"):
        (data / "chroma.open").write_text("the site, process 123")
        found = looked(data, "index")
        assert (found.state, "the site, process 123" in found.text) == ("skipped", True)
        with pytest.raises(IndexBusyError, match="stop it first"):
            list(doctor.mend(_settings(data)))
    with CrawlLock(data), pytest.raises(CrawlBusyError):
        list(doctor.mend(_settings(data)))


def test_a_crawl_at_work_is_not_mistaken_for_damage(data: Path) -> None:
    stranger = Thumbnails(data / "thumbnails").path(b"x" * 16)
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(next(data.glob("thumbnails/*/*.jpg")).read_bytes())
    assert looked(data, "thumbnails: files").state == "wrong"
    (data / "filelist.partial").touch()
    with CrawlLock(data):
        assert looked(data, "thumbnails: files").state == "ok"
        assert looked(data, "leftovers").state == "skipped"
        assert looked(data, "work").state == "skipped"


def test_work_that_was_left_is_found(data: Path, encoder: Encoder) -> None:
    execute(
        data,
        "UPDATE runs SET finished = NULL",
        "UPDATE files SET image_id = NULL WHERE id = 1",
        "DELETE FROM indexed_vectors WHERE vector_id IN (2, 3)",
    )
    found = looked(data, "work")
    assert found.text == (
        "the last crawl was cut off; files that are still to be read: 1; "
        "vectors that the index lacks: 2"
    )
    obey(found.command, encoder)
    assert looked(data, "work").state == "ok"


def test_a_folder_that_is_not_there_is_named(data: Path) -> None:
    execute(data, "INSERT INTO roots (path) VALUES (CAST('/no/such/disk' AS BLOB))")
    found = looked(data, "folders")
    assert found.state == "wrong"
    assert "not there now: /no/such/disk" in found.text


def test_a_model_that_does_not_load_is_named(data: Path, tmp_path: Path) -> None:
    assert looked(data, "model").state == "ok"
    model = tmp_path / "model"
    shutil.copytree(ROOT / "models" / "starter", model)
    (model / "text.onnx").write_bytes(b"x" * 1000)
    with closing(Database(data / "library.sqlite")) as database:
        (check,) = [check for check in doctor.CHECKS if check.name == "model"]
        broken = replace(_settings(data), clip_model=str(model))
        found = check.look(Patient(broken, database))
        absent = replace(_settings(data), clip_model="nobody/nothing")
        lacking = check.look(Patient(absent, database))
    assert f"{model} does not load" in found.text
    assert lacking.text == "nobody/nothing does not load: it is not complete on this machine"
    assert lacking.command == "python -m mlx_clip info --model nobody/nothing"


def test_a_disk_that_is_nearly_full_is_found_before_it_is() -> None:
    folder = Path("/data")
    assert places.judge_room(folder, 2_000_000_000, 0).state == "ok"
    assert "400 MB are free" in places.judge_room(folder, 400_000_000, 0).text
    full = places.judge_room(folder, 2_000_000_000, 1_900_000_000)
    assert "still to be crawled takes about 1.9 GB" in full.text


def test_of_a_large_library_an_even_part_is_looked_at_unless_all_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (finding, vectors):
        monkeypatch.setattr(module, "ENOUGH", 1_000)
    monkeypatch.setattr(vectors, "_BLOCK", 10)
    settings = _settings(tmp_path)
    large.build(settings.database_path, 5_000, 8)
    with closing(Database(settings.database_path)) as database:
        part, whole = Patient(settings, database), Patient(settings, database, thorough=True)
        assert "looked at 995 of 4,995" in vectors.values(part).text
        database.connection.execute("UPDATE vectors SET vector = zeroblob(32) WHERE id = 25")
        assert vectors.values(part).state == "ok"
        assert vectors.values(whole).text.endswith("1 of 4,995")
        assert vectors.forget_wrong_values(part).endswith(": 1.")
        quick, *_ = doctor.database_checks(part)
        assert "--thorough" in quick.look(part).text
        assert "--thorough" not in quick.look(whole).text


def test_json_is_one_object_with_every_check(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(data / "chroma")
    assert main(["doctor", "--data", str(data), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["wrong"] == 2
    by_name = {check["name"]: check for check in answer["checks"]}
    assert by_name["index"]["state"] == "wrong"
    assert "--mend" in by_name["index"]["command"]
    assert by_name["model"]["seconds"] > 0
