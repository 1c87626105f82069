"""Laws of the local page: who is let in, what is found, what is never lost, what is marked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.labels import CHOICES, LABELS, Answers
from assay.core.unseen import clean
from assay.serve import detail
from assay.serve.export import export, name_of
from assay.serve.near import RUN, RealWords, compare, spoken
from assay.serve.query import Query
from assay.serve.segments import around, by_bytes, segments
from assay.serve.server import Server
from assay.serve.table import RowTable

from .served import REAL, Client, flags_of, serving, write_run

ROWS = 150
TEXTS = tuple(
    f"Synthetic row {n} says {'Yes' if n % 7 == 0 else 'no'} to word{n % 5} " + "ü" * (n % 3)
    for n in range(ROWS)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    write_run(runs / "one", TEXTS)
    write_run(runs / "deep" / "two", TEXTS[:100])
    (runs / "broken").mkdir()
    (runs / "broken" / "evidence.json").write_text("{", encoding="utf-8")
    return runs


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(folder) as server:
        yield server


@pytest.fixture
def table(folder: Path) -> RowTable:
    return RowTable(Run(folder / "one"), lambda folder: None)


# Who is let in -----------------------------------------------------------------------------------------------------


def test_nothing_is_shown_without_the_token(server: Server) -> None:
    stranger = Client(server)
    for target in (
        "/",
        "/rows?run=one",
        "/api/rows?run=one",
        "/static/rows.js",
        "/export?run=one&format=jsonl",
    ):
        status, headers, body = stranger.ask(target)
        assert status == 403
        assert "set-cookie" not in headers
        assert b"Synthetic" not in body
    assert stranger.ask("/?token=guessed")[0] == 403
    assert stranger.ask("/?token=%00%ff")[0] == 403
    assert stranger.ask("/api/answer?run=one", {"row": 0, "said": "wrong"})[0] == 403


def test_the_cookie_is_kept_from_scripts_and_other_sites(server: Server) -> None:
    status, headers, body = Client(server).ask("/" + server.url.split("/", 3)[3])
    assert status == 200
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(headers["set-cookie"].split("; "))
    token = server.url.split("token=")[1]
    assert token not in headers["set-cookie"]
    assert token.encode() not in body
    assert headers["referrer-policy"] == "no-referrer"
    assert Client(server).enter().ask("/")[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[", "2130706433"]
)
def test_a_name_that_was_made_to_point_here_gets_nothing(server: Server, host: str) -> None:
    client = Client(server).enter()
    assert client.ask("/", headers={"Host": host})[0] == 421
    assert client.ask("/" + server.url.split("/", 3)[3], headers={"Host": host})[0] == 421
    assert client.ask("/", headers={"Host": f"localhost:{server.port}"})[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_no_other_page_can_write(server: Server, folder: Path, headers: dict[str, str]) -> None:
    client = Client(server).enter()
    body = {"row": 0, "said": "wrong", "was": None}
    assert client.ask("/api/answer?run=one", body, headers)[0] == 403
    assert (
        not (folder / "one" / LABELS).exists() or b'"row": 0,' not in (folder / "one" / LABELS).read_bytes()
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
def test_it_listens_on_one_address_alone(server: Server) -> None:
    """Whoever listens everywhere is reached by 127.0.0.2, too."""
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", server.port))


def test_every_page_forbids_foreign_scripts_and_frames(server: Server) -> None:
    client = Client(server).enter()
    for target in (
        "/",
        "/rows?run=one",
        "/report?run=one",
        "/compare?before=one&after=deep/two",
        "/history",
        "/nothing",
    ):
        _, headers, body = client.ask(target)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'unsafe-inline'" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert b"http://" not in body.replace(b"http://www.w3.org", b"")[:3000]


@pytest.mark.parametrize(
    "target",
    [
        "/rows?run=../one", "/rows?run=/etc", "/rows?run=one/steps", "/rows?run=%00", "/rows?run=broken", "/rows",
        "/api/row?run=one&row=-1", "/api/row?run=one&row=150", "/api/row?run=one&row=x", "/api/rows?run=one&has=nothing",
        "/api/rows?run=one&min.suspicion=x", "/api/rows?run=one&label=perhaps", "/api/rows?run=one&min.region=1",
        "/export?run=one&format=pickle", "/compare?before=one&after=one", "/api/rows?run=one&page=x",
        "/api/rows?run=one&sort=nothing", "/history?measure=nothing",
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_not_shown(server: Server, target: str) -> None:
    status, _, body = Client(server).enter().ask(target)
    assert status == 400
    assert b"Traceback" not in body
    assert b"root:" not in body


def test_files_are_not_served(server: Server) -> None:
    client = Client(server).enter()
    for target in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/evidence.json",
        "/one/evidence.json",
        "/static/",
    ):
        assert client.ask(target)[0] == 404


def test_a_port_that_is_taken_is_named(server: Server, folder: Path) -> None:
    from assay.study import serve

    with pytest.raises(InputError, match="cannot listen"):
        serve(folder, port=server.port)
    with pytest.raises(InputError, match="no such folder"):
        serve(folder / "nowhere", port=0)


def test_runs_are_listed_with_those_that_cannot_be_read(server: Server) -> None:
    _, _, body = Client(server).enter().ask("/")
    text = body.decode()
    assert "deep/two" in text
    assert "cannot be read" in text
    assert text.count('class="run"') == 3


# What is found ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    has=st.sets(st.sampled_from(["near_duplicate", "refusal"])),
    lacks=st.sets(st.sampled_from(["near_duplicate", "refusal"])),
    least=st.none() | st.floats(0, 1),
    region=st.none() | st.sampled_from(["region 1", "region 9"]),
    text=st.sampled_from(["", "YES", "word3", '"to word3"', "row 1", "üü", "(", "yes no"]),
    sort=st.sampled_from(["", "suspicion", "-suspicion", "-similarity", "similarity", "near_cluster"]),
)
def test_a_query_finds_what_looking_at_every_row_finds(
    folder: Path,
    has: set[str],
    lacks: set[str],
    least: float | None,
    region: str | None,
    text: str,
    sort: str,
) -> None:
    query = Query(
        text=text,
        having=tuple(sorted(has)),
        lacking=tuple(sorted(lacks)),
        least=() if least is None else (("similarity", least),),
        among=() if region is None else (("region", region),),
        sort=sort,
    )
    terms = ["to word3"] if text.startswith('"') else text.lower().split()
    flags = flags_of(ROWS).to_pylist()
    expected = [
        n
        for n, row in enumerate(flags)
        if all(row[name] for name in has)
        and not any(row[name] for name in lacks)
        and (least is None or (row["similarity"] is not None and row["similarity"] >= least))
        and (region is None or row["region"] == region)
        and all(term in TEXTS[n].lower() for term in terms)
    ]
    if sort:
        name, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1
        expected.sort(key=lambda n: (flags[n][name] is None, sign * (flags[n][name] or 0)))
    found = _table(folder).find(query)
    assert found.rows.tolist() == expected
    assert found.flags["refusal"] == sum(flags[n]["refusal"] for n in expected)


_OPEN: dict[Path, RowTable] = {}


def _table(folder: Path) -> RowTable:
    return _OPEN.setdefault(folder, RowTable(Run(folder / "one"), lambda folder: None))


def test_pages_hold_every_row_once(table: RowTable) -> None:
    found = table.find(Query(sort="-suspicion"))
    pages = [detail.page(table, found, number) for number in range(3)]
    assert [row["row"] for page in pages for row in page["rows"]] == found.rows.tolist()
    assert pages[0]["pages"] == 3
    assert pages[0]["rows"][0]["suspicion"] == max(flags_of(ROWS)["suspicion"].to_pylist())


def test_columns_without_a_value_are_not_offered(table: RowTable) -> None:
    facts = detail.filters(table)
    assert {each["name"] for each in facts["flags"]} == {"near_duplicate", "refusal"}
    assert {each["name"] for each in facts["words"]} == {"region", "label", "slice:source"}
    assert [each["name"] for each in facts["groups"]] == ["near_cluster"]
    assert facts["first_sort"] == "-suspicion"


def test_a_table_with_some_rows_alone_becomes_a_column(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", TEXTS)
    pq.write_table(
        pa.table({"row": [5, 2], "chance": [0.9, 0.2]}), tmp_path / "run" / "rows" / "suspects.parquet"
    )
    table = RowTable(run, lambda folder: None)
    assert table.column("chance").at(5) == 0.9
    assert table.column("chance").at(0) is None
    assert table.find(Query(sort="-chance")).rows[:2].tolist() == [5, 2]


def test_flags_of_other_rows_are_not_shown(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", TEXTS)
    pq.write_table(flags_of(ROWS - 1), tmp_path / "run" / "rows" / "synthetic.parquet")
    table = RowTable(run, lambda folder: None)
    assert "other rows" in table.problem
    assert "refusal" not in table.columns
    assert table.first_sort == ""


def test_a_list_of_unlabelled_rows_keeps_its_pages_while_rows_are_labelled(tmp_path: Path) -> None:
    table = RowTable(write_run(tmp_path / "run", TEXTS), lambda folder: None)
    query = Query(label="none", sort="-suspicion")
    first = table.find(query)
    table.labels.add(int(first.rows[0]), "wrong")
    assert table.find(query, first.stamp).rows.tolist() == first.rows.tolist()
    now = table.find(query)
    assert now.rows.tolist() == first.rows.tolist()[1:]
    assert now.stamp > first.stamp


# What is never lost ---------------------------------------------------------------------------------------------------


def _text(rows: int = 200) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([f"row {n}" for n in range(rows)], pa.large_string())])


def test_two_windows_do_not_overwrite_each_other(server: Server, folder: Path) -> None:
    first, second = Client(server).enter(), Client(server).enter()
    target = "/api/answer?run=deep/two"
    assert first.ask(target, {"row": 3, "said": "wrong", "was": None, "of": "label"})[0] == 200
    late = second.json(target, {"row": 3, "said": "right", "was": None, "of": "label"})
    assert (late["written"], late["label"]) == (False, "wrong")
    assert second.ask(target, {"row": 3, "said": "right", "was": "wrong", "of": "label"})[0] == 200
    assert first.ask(target, {"row": 3, "said": "drop", "was": None, "of": "choice"})[0] == 200
    lines = (folder / "deep" / "two" / LABELS).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["wrong", "right"]
    assert Answers(folder / "deep" / "two" / CHOICES, _text()).words == ("keep", "drop")


@pytest.mark.parametrize(
    "body", [{}, [], {"row": 1.5, "said": "wrong"}, {"row": 900, "said": "wrong"}, {"row": 1, "said": "<b>"},
             {"row": 1, "said": "keep", "of": "label"}, {"row": True, "said": "wrong"}, {"row": 1, "said": ["wrong"]}],
)  # fmt: skip
def test_what_is_no_answer_is_refused(server: Server, body: object) -> None:
    assert Client(server).enter().ask("/api/answer?run=one", body)[0] == 400


def test_answers_of_many_writers_all_stand(tmp_path: Path) -> None:
    path, text = tmp_path / LABELS, _text()
    writers = [Answers(path, text) for _ in range(4)]

    def write(number: int) -> None:
        for row in range(number, 200, 4):
            writers[number].add(row, "wrong" if row % 2 else "right")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Answers(path, text).labelled == {row: bool(row % 2) for row in range(200)}
    writers[0].refresh()
    assert writers[0].labelled == Answers(path, text).labelled


def test_an_answer_that_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / LABELS
    code = (
        "import sys, pyarrow as pa; from pathlib import Path; from assay.core.labels import Answers;"
        "text = pa.chunked_array([pa.array([f'row {n}' for n in range(200)], pa.large_string())]);"
        "answers = Answers(Path(sys.argv[1]), text)\n"
        "for row in range(200):\n answers.add(row, 'wrong'); print(row, flush=True)"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    last = -1
    for line in writer.stdout:
        last = int(line)
        if last == 30:
            os.kill(writer.pid, signal.SIGKILL)
            break
    writer.wait()
    writer.stdout.close()
    assert set(range(last + 1)) <= set(Answers(path, _text()).labelled)


def test_a_line_torn_by_another_process_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / LABELS
    answers = Answers(path, _text())
    answers.add(1, "wrong")
    with path.open("ab") as file:
        file.write(b'{"row": 2, "ans')
    answers.refresh()
    answers.add(3, "right")
    assert Answers(path, _text()).given == {1: "wrong", 3: "right"}


def test_an_answer_taken_back_is_none(tmp_path: Path) -> None:
    path = tmp_path / LABELS
    answers = Answers(path, _text())
    answers.add(1, "wrong")
    answers.add(1, None)
    assert answers.given == {}
    assert Answers(path, _text()).given == {}
    assert len(path.read_bytes().splitlines()) == 2


def test_labels_feed_the_share_of_wrong_rows(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "one", TEXTS)
    with serving(tmp_path / "runs") as server:
        client = Client(server).enter()
        asked = client.json("/api/rows?run=one&sort=drawn")["rows"]
        for number, each in enumerate(asked[:30]):
            said = "wrong" if number < 6 else "right"
            client.json("/api/answer?run=one", {"row": each["row"], "said": said, "was": None, "of": "label"})
        told = client.json("/api/decide?run=one", {})["rate"]
    measure = Run(tmp_path / "runs" / "one").evidence.find("quality.error_rate")
    assert measure is not None
    assert measure.n == 30
    assert measure.value is not None
    assert "drawn at random" in measure.method
    assert told.startswith(f"{100 * measure.value:.0f}")
    assert (tmp_path / "runs" / "one" / "report.html").exists()


# What is shown ----------------------------------------------------------------------------------------------------------


def test_a_planted_copy_is_the_nearest_and_its_words_are_marked(tmp_path: Path) -> None:
    real = (*REAL, "Entirely elsewhere: the quick brown fox didn't jump over lazy dogs yesterday, they say.")
    run = write_run(
        tmp_path / "run", ["It said QUICK brown fox didn't jump over; then nothing of the kind."], real
    )
    words = RealWords(run.corpus("real"))
    text = run.corpus("synthetic").table()["text"][0].as_py()
    near = words.nearest(text)[0]
    assert near.row == len(REAL)
    assert near.shared == 6
    assert [text[start:end] for start, end in near.own] == ["QUICK brown fox didn't jump over"]
    assert [near.text[start:end] for start, end in near.spans] == ["quick brown fox didn't jump over"]
    assert 0 < near.similarity < 1


@pytest.mark.parametrize(
    ("text", "other", "marks"),
    [
        ("电影非常好看", "这部电影非常无聊", ["电影非常"]),
        ("שלום לכולם היום כאן", "אמרו שלום לכולם היום", ["שלום לכולם היום"]),
        ("नमस्ते दुनिया कैसी है", "वह नमस्ते दुनिया कैसी थी", ["नमस्ते दुनिया कैसी"]),
        ("one two", "one two", ["one two"]),
        ("a b c x d e f", "d e f y a b c", ["a b c", "d e f"]),
        ("no thing alike", "something else here", []),
    ],
)
def test_shared_runs_are_exact_in_any_script(text: str, other: str, marks: list[str]) -> None:
    near = compare(spoken(text), 0, other)
    assert [text[start:end] for start, end in near.own] == marks
    assert len(spoken(text).words) >= near.shared >= (RUN if len(marks) and len(text) > 8 else 0)


def test_every_row_is_its_own_nearest(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    texts = [" ".join(f"w{n}" for n in rng.integers(0, 300, 12)) for _ in range(200)] + [
        "",
        "!!!",
        "电影非常好看",
    ]
    run = write_run(tmp_path / "run", texts, texts)
    words = RealWords(run.corpus("real"))
    for row in (0, 63, 64, 199, 202):
        near = words.nearest(texts[row])[0]
        assert (near.row, near.similarity) == (row, 1.0)
    assert words.nearest("") == []
    assert words.nearest("nothing-here-is known") == []


@given(st.text(max_size=60), st.integers(0, 30), st.integers(0, 30))
def test_segments_say_the_whole_text(text: str, start: int, length: int) -> None:
    span = (min(start, len(text)), min(start + length, len(text)))
    parts = segments(text, [span])
    assert "".join(part for part, _ in parts) == "".join(
        clean(part) for part in (text[: span[0]], text[span[0] : span[1]], text[span[1] :])
    )
    assert "\u202e" not in "".join(part for part, _ in parts)


def test_a_mark_far_down_a_row_is_shown() -> None:
    text = "x" * 5000 + "HERE" + "y" * 5000
    parts = around(text, [(5000, 5004)], 400)
    assert ("HERE", True) in parts
    assert sum(len(part) for part, _ in parts) < 500
    assert by_bytes("äb", 2, 3) == ((1, 2),)
    assert by_bytes("äb", None, 3) == ()


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_an_export_holds_the_rows_found_to_the_byte(tmp_path: Path, form: str) -> None:
    texts = [*TEXTS[:20], "=cmd()|'<script>\u202e\u0000", "  spaces\r\n\tstay "]
    table = RowTable(write_run(tmp_path / "run", texts), lambda folder: None)
    table.labels.add(21, "wrong")
    found = table.find(Query(lacking=("refusal",), sort="-suspicion"))
    with export(table, found, form) as file:  # type: ignore[arg-type]
        rows = [json.loads(line) for line in file] if form == "jsonl" else pq.read_table(file).to_pylist()
    assert [row["row"] for row in rows] == found.rows.tolist()
    assert [row["text"] for row in rows] == [texts[row] for row in found.rows]
    flags = flags_of(len(texts)).to_pylist()
    for row in rows:
        assert row["near_duplicate"] == flags[row["row"]]["near_duplicate"]
        assert row.get("similarity") == flags[row["row"]]["similarity"]
        assert row.get("answer") == ("wrong" if row["row"] == 21 else None)


def test_the_name_of_an_export_trips_over_nothing() -> None:
    assert name_of('../a"\r\nSet-Cookie: x/ü', "jsonl") == "a---Set-Cookie--x-rows.jsonl"
    assert name_of("..", "parquet") == "rows-rows.parquet"
