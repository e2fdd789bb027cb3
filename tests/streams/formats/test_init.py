"""Every format: files that are absent, compressed, damaged or of another format."""

import gzip
import random
from pathlib import Path

import msgspec
import pytest

from schemas.events import PublicMessage
from streams.errors import FormatError
from streams.formats import FORMATS, FileReader, FileRecord, read_file
from tests.streams.formats.reading import written

SAMPLES = {
    "jsonl": '{"type":"erasure","user_id":"u1","at":5}\n',
    "retailrocket": "timestamp,visitorid,event,itemid,transactionid\n5,u1,transaction,i1,t1\n5,u1,view,i1,\n",
    "rees46": (
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
        "2020-01-01 00:00:00 UTC,purchase,i1,1,a.b,x,2.5,u1,s1\n"
        "2020-01-01 00:00:00 UTC,view,i2,1,,,,u1,s1\n"
    ),
    "online-retail": (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "1,i1,A THING,2,2020-01-01 00:00:00,2.5,7.0,Here\n"
    ),
    "movielens": "userId,movieId,rating,timestamp\nu1,i1,4.5,5\n",
    "sessions": "SessionId\tItemId\tTime\ns1\ti1\t5\n",
    "session-lists": "1\ti1 i2\n",
    "baskets": "i1,i2\n",
}
HEADED = [name for name in FORMATS if name not in {"jsonl", "session-lists", "baskets"}]


def test_there_is_a_sample_of_every_format() -> None:
    assert set(SAMPLES) == set(FORMATS)


@pytest.mark.parametrize("format", FORMATS)
def test_every_message_is_a_valid_public_message_at_the_record_s_time(tmp_path: Path, format: str) -> None:
    entries = list(read_file(written(tmp_path, SAMPLES[format]), format))
    assert entries
    for entry in entries:
        assert isinstance(entry, FileRecord)
        message = msgspec.json.decode(entry.value, type=PublicMessage)
        assert message.at == entry.at
        assert entry.key
        assert entry.topic == f"{message.__struct_config__.tag}s"


@pytest.mark.parametrize("format", FORMATS)
def test_a_gzip_file_holds_the_same(tmp_path: Path, format: str) -> None:
    plain = written(tmp_path, SAMPLES[format])
    compressed = written(tmp_path, SAMPLES[format], compressed=True)
    assert list(read_file(compressed, format)) == list(read_file(plain, format))


@pytest.mark.parametrize("format", FORMATS)
def test_line_ends_of_another_system_and_a_byte_order_mark_change_nothing(
    tmp_path: Path, format: str
) -> None:
    plain = list(read_file(written(tmp_path, SAMPLES[format]), format))
    other = b"\xef\xbb\xbf" + SAMPLES[format].replace("\n", "\r\n").encode()
    assert list(read_file(written(tmp_path, other), format)) == plain


@pytest.mark.parametrize("format", FORMATS)
def test_a_last_line_without_an_end_is_read(tmp_path: Path, format: str) -> None:
    whole = list(read_file(written(tmp_path, SAMPLES[format]), format))
    assert list(read_file(written(tmp_path, SAMPLES[format].rstrip("\n")), format)) == whole


@pytest.mark.parametrize("format", FORMATS)
def test_a_damaged_gzip_file_says_so(tmp_path: Path, format: str) -> None:
    noise = random.Random(1).randbytes(5_000).hex()  # noqa: S311  # seeded, so that it repeats
    data = gzip.compress((SAMPLES[format] + noise + "\n").encode())
    path = written(tmp_path, data[: len(data) // 2])
    with pytest.raises(FormatError, match="gzip stream is damaged after line"):
        list(read_file(path, format))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"absent\.csv can't be read \(No such file or directory\)"):
        FileReader(tmp_path / "absent.csv", "baskets")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is a folder"):
        FileReader(tmp_path, "baskets")


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="unknown format 'xml', expected one of jsonl, retailrocket"):
        FileReader(written(tmp_path, ""), "xml")


@pytest.mark.parametrize("format", HEADED)
def test_an_empty_file_lacks_its_header(tmp_path: Path, format: str) -> None:
    with pytest.raises(FormatError, match="is empty"):
        list(read_file(written(tmp_path, "\n"), format))


@pytest.mark.parametrize("format", ["jsonl", "session-lists", "baskets"])
def test_an_empty_file_without_a_header_holds_nothing(tmp_path: Path, format: str) -> None:
    assert list(read_file(written(tmp_path, "\n \n"), format)) == []


@pytest.mark.parametrize("format", HEADED)
@pytest.mark.parametrize("actual", ["jsonl", "session-lists", *HEADED])
def test_a_file_of_another_format_is_recognised(tmp_path: Path, format: str, actual: str) -> None:
    if format == actual:
        return
    with pytest.raises(FormatError, match=f"not of the format {format}: .*--format {actual} looks right"):
        list(read_file(written(tmp_path, SAMPLES[actual]), format))


def test_an_unknown_header_is_shown_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'a,b', expected a header with the columns userId,movieId,rating"):
        list(read_file(written(tmp_path, "a,b\n1,2\n"), "movielens"))


def test_each_iteration_reads_and_counts_from_the_start(tmp_path: Path) -> None:
    content = SAMPLES["online-retail"] + "C1,i1,A THING,-2,2020-01-01 00:00:00,2.5,7.0,Here\n"
    reader = FileReader(written(tmp_path, content), "online-retail")
    assert list(reader) == list(reader)
    assert reader.skipped == {"cancelled": 1}
