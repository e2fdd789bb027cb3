"""Parameters of models from texts and TOML."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.evaluation.catalog import CONTENDERS
from streams.evaluating.options import from_file, from_texts, merged, to_toml
from streams.evaluating.trial import EvaluationError

names = st.sampled_from(["rate", "recommend.k", "recommend.max_recent", "rules.min_count"])
numbers = st.one_of(st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False))


@given(st.dictionaries(st.sampled_from(["blend", "isgd"]), st.dictionaries(names, numbers, min_size=1)))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, dict[str, float]]
) -> None:
    file = tmp_path_factory.mktemp("options") / "tuned.toml"
    file.write_text(to_toml(found))
    assert from_file(file) == found


def test_the_file_has_a_table_per_model_and_section() -> None:
    text = to_toml({"blend": {"recommend.max_recent": 5, "recommend.recent_weight": 0.5}})
    assert tomllib.loads(text) == {"blend": {"recommend": {"max_recent": 5, "recent_weight": 0.5}}}


def test_what_is_given_last_counts() -> None:
    found = merged(CONTENDERS, ["isgd", "markov"], {"isgd": {"rate": 0.1}}, {"isgd": {"rate": 0.2}})
    assert found["isgd"]["rate"] == 0.2
    assert found["isgd"]["factors"] == CONTENDERS["isgd"].options["factors"]
    assert found["markov"] == {}


def test_numbers_and_truth_are_read_as_such() -> None:
    texts = ["isgd.rate=0.1", "isgd.factors=8", "blend.recommend.repeat_purchases=true"]
    assert from_texts(texts) == {
        "isgd": {"rate": 0.1, "factors": 8},
        "blend": {"recommend.repeat_purchases": True},
    }


@pytest.mark.parametrize("text", ["isgd", "isgd.rate", "rate=1", "isgd.rate=fast", "isgd.=1"])
def test_a_text_that_is_no_parameter_is_refused(text: str) -> None:
    with pytest.raises(EvaluationError, match="--set"):
        from_texts([text])


def test_a_model_that_is_not_there_is_told() -> None:
    with pytest.raises(EvaluationError, match="no model 'gone'"):
        merged(CONTENDERS, ["isgd"], {"gone": {"rate": 1}})


@pytest.mark.parametrize("text", ["rate = 1", "[isgd]\nrate = 'fast'", "[isgd"])
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "options.toml"
    file.write_text(text)
    with pytest.raises(EvaluationError, match="expected"):
        from_file(file)
