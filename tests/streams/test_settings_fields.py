"""The table of settings: each one's name, variable, type, range in words, and what it refuses."""

import math

import msgspec
import pytest

from schemas.settings import Settings
from streams.errors import SettingsError
from streams.settings_fields import FIELDS, Field, Value, read


def of_type(kind: type) -> list[Field]:
    """Settings whose value is of exactly this type: a bool is no int here."""
    return [field for field in FIELDS.values() if type(field.default) is kind]


def refused(field: Field, value: object) -> str:
    with pytest.raises(SettingsError) as caught:
        field.check(value, "file mine.toml")
    return str(caught.value)


def test_the_table_has_every_setting_in_the_order_of_the_structs() -> None:
    tree = msgspec.to_builtins(Settings())
    assert list(FIELDS) == [f"{section}.{name}" for section, values in tree.items() for name in values]
    assert all(key == field.key for key, field in FIELDS.items())


def test_the_default_of_each_field_is_that_of_the_settings_and_passes_its_own_check() -> None:
    for key, field in FIELDS.items():
        checked = field.check(field.default, "default")
        assert (checked, type(checked)) == (read(Settings(), key), type(field.default)), key


def test_each_setting_says_what_it_is_and_what_it_takes() -> None:
    for key, field in FIELDS.items():
        assert field.description, key
        assert field.expected, key
        assert not field.description.endswith("."), key


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("kafka.bootstrap_servers", "FRESHREC_KAFKA__BOOTSTRAP_SERVERS"),
        ("rules.half_life_s", "FRESHREC_RULES__HALF_LIFE_S"),
        ("log.json", "FRESHREC_LOG__JSON"),
    ],
)
def test_the_variable_is_the_key_in_capitals(key: str, variable: str) -> None:
    assert FIELDS[key].variable == variable


def test_no_two_settings_share_a_variable() -> None:
    assert len({field.variable for field in FIELDS.values()}) == len(FIELDS)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("recommend.enabled", "true or false"),
        ("log.level", "one of debug, error, info, warning"),
        ("metrics.port", "a whole number from 0 to 65535"),
        ("kafka.partitions", "a whole number at least 1"),
        ("rules.half_life_s", "a whole number at least 0"),
        ("rules.min_count", "a number at least 0"),
        ("metrics.watchdog_s", "a number above 0"),
        ("state.flush_max_share", "a number above 0 and at most 1"),
        ("recommend.diversity", "a number from 0 to 1"),
        ("recommend.explore", "a number at least 0 and below 1"),
        ("kafka.topic_prefix", "text that matches ^[A-Za-z0-9._-]*$"),
        ("state.dir", "text that is not empty"),
    ],
)
def test_a_range_is_told_in_words(key: str, expected: str) -> None:
    assert FIELDS[key].expected == expected


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("kafka.partitions", "12", 12),
        ("kafka.partitions", " 12 ", 12),
        ("weights.view", "1", 1.0),
        ("weights.view", "2e-1", 0.2),
        ("log.json", " TRUE ", True),
        ("log.json", "0", False),
        ("state.dir", "a b", "a b"),
        ("log.level", "debug", "debug"),
        ("kafka.topic_prefix", "", ""),
    ],
)
def test_text_is_parsed_to_the_type_of_the_setting(key: str, text: str, value: Value) -> None:
    parsed = FIELDS[key].parse(text, "environment X")
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize("field", of_type(bool), ids=lambda field: field.key)
def test_a_switch_takes_no_number_and_no_other_word(field: Field) -> None:
    for value in (1, 0, "true", None):
        assert field.key in refused(field, value)
    with pytest.raises(SettingsError, match=r"'on'.*expected true or false"):
        field.parse("on", "environment X")


@pytest.mark.parametrize("field", of_type(int), ids=lambda field: field.key)
def test_a_whole_number_takes_no_fraction_no_switch_and_nothing_below_its_range(field: Field) -> None:
    for value in (1.5, True, "1", None, -1):
        assert f"{field.key} = {value!r}" in refused(field, value)


@pytest.mark.parametrize("field", of_type(float), ids=lambda field: field.key)
def test_a_number_takes_a_whole_one_but_none_that_is_not_finite(field: Field) -> None:
    whole = 0 if field.expected.endswith("below 1") else 1
    checked = field.check(whole, "code")
    assert (checked, type(checked)) == (float(whole), float)
    for value in (math.nan, math.inf, -math.inf, -0.5, True, "1"):
        assert f"{field.key} = {value!r}" in refused(field, value)


def test_a_refusal_says_what_was_seen_where_what_was_expected_and_what_to_do() -> None:
    assert refused(FIELDS["metrics.port"], 65_536) == (
        "metrics.port = 65536 (file mine.toml) cannot be used: expected a whole number from 0 to 65535. "
        "Correct it, or remove it for the default 9108"
    )


def test_a_value_is_read_by_its_key() -> None:
    settings = msgspec.convert({"log": {"json": True}}, Settings)
    assert read(settings, "log.json") is True
    assert read(settings, "metrics.port") == 9108
    with pytest.raises(AttributeError):
        read(settings, "log.none")
