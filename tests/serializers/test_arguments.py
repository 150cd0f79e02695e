from __future__ import annotations

import json
import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.errors import ConfigurationError, SerializationError
from mainspring.serializers.arguments import ArgumentSerializer
from mainspring.serializers.signing import SigningKeys, sealed, unsealed


class Money:
    def __init__(self, amount):
        self.amount = amount

    def __eq__(self, other):
        return type(other) is Money and self.amount == other.amount

    __hash__ = None


class Singular:
    """Its pickle calls a class of the program's own, as those of many exceptions and C types do."""

    def __reduce__(self):
        return Singular, ()


called: list[str] = []


def strike(text):
    called.append(text)


class Hostile:
    def __reduce__(self):
        return strike, ("struck",)


ANY = ArgumentSerializer()
JSON = ArgumentSerializer("json")
SIGNED = ArgumentSerializer(keys=SigningKeys.of("secret"))


@pytest.mark.parametrize("serializer", [ANY, JSON, SIGNED], ids=["auto", "json", "signed"])
def test_arguments_that_json_can_hold_come_back(serializer):
    args, kwargs = (1, "two", date(2026, 3, 29)), {"deep": {"list": [1, (2, 3)]}}
    assert serializer.loads("job", serializer.dumps("job", args, kwargs)) == (args, kwargs)
    assert serializer.loads("job", serializer.dumps("job", (), {})) == ((), {})


def test_plain_arguments_are_plain_json():
    assert json.loads(ANY.dumps("job", (1, "ü"), {"to": "a@b.c"})) == {
        "version": 1,
        "args": [1, "ü"],
        "kwargs": {"to": "a@b.c"},
    }


@pytest.mark.parametrize("serializer", [ANY, SIGNED], ids=["auto", "signed"])
def test_only_the_value_that_needs_it_is_pickled(serializer):
    text = serializer.dumps("job", (1, [Money(5)]), {"note": "plain"})
    written = json.loads(text)
    assert (written["args"][0], written["kwargs"]) == (1, {"note": "plain"})
    assert written["args"][1][0]["$type"] == "pickle"
    assert serializer.loads("job", text) == ((1, [Money(5)]), {"note": "plain"})


def test_serializer_json_refuses_pickles_and_names_the_argument():
    with pytest.raises(SerializationError, match=r"kwargs\['price'\]\[1\] of job 'bill' is a .*Money"):
        JSON.dumps("bill", (), {"price": [0, Money(5)]})


def test_serializer_json_reads_no_pickle():
    text = ANY.dumps("job", (Money(5),), {})
    with pytest.raises(SerializationError, match="reads no pickles"):
        JSON.loads("job", text)


def test_what_can_not_be_pickled_is_refused_by_name():
    with pytest.raises(SerializationError, match=r"args\[0\] of job 'job'.* can't be pickled"):
        ANY.dumps("job", (lambda: None,), {})


def test_without_a_key_what_could_not_be_read_back_is_refused_when_it_is_written():
    with pytest.raises(SerializationError, match=r"args\[0\].* could not be read back.*signing_key"):
        ANY.dumps("job", (Singular(),), {})
    text = SIGNED.dumps("job", (Singular(),), {})
    assert isinstance(SIGNED.loads("job", text)[0][0], Singular)


def hostile(**more):
    data = pickle.dumps(Hostile())
    import base64

    value = {"$type": "pickle", "value": base64.b64encode(data).decode(), **more}
    return json.dumps({"version": 1, "args": [value], "kwargs": {}})


@pytest.mark.parametrize("serializer", [ANY, JSON, SIGNED], ids=["auto", "json", "signed"])
@pytest.mark.parametrize("more", [{}, {"signature": ""}, {"signature": "0" * 64}, {"signature": 3}], ids=repr)
def test_a_hostile_row_executes_nothing_in_any_mode(serializer, more):
    called.clear()
    with pytest.raises(SerializationError):
        serializer.loads("job", hostile(**more))
    assert called == []


@pytest.mark.parametrize(
    ("reader", "job_id"),
    [(ArgumentSerializer(keys=SigningKeys.of("other")), "job"), (SIGNED, "another job")],
    ids=["another key", "another job"],
)
def test_a_signature_is_good_for_one_key_and_one_job(reader, job_id):
    text = SIGNED.dumps("job", (Money(5),), {})
    with pytest.raises(SerializationError, match="not signed with this job store's signing_key"):
        reader.loads(job_id, text)


def test_a_changed_pickle_is_refused():
    written = json.loads(SIGNED.dumps("job", (Money(5),), {}))
    other = json.loads(SIGNED.dumps("job", (Money(6),), {}))
    written["args"][0]["value"] = other["args"][0]["value"]
    with pytest.raises(SerializationError, match="not signed"):
        SIGNED.loads("job", json.dumps(written))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version":1}',
        '{"version":1,"args":{},"kwargs":{}}',
        '{"version":"1","args":[],"kwargs":{}}',
        '{"version":1,"args":[{"$type":"pickle"}],"kwargs":{}}',
        '{"version":1,"args":[{"$type":"function","value":"os:system"}],"kwargs":{}}',
    ],
)
def test_a_damaged_text_is_refused(text):
    with pytest.raises(SerializationError):
        ANY.loads("job", text)


def test_a_newer_version_is_refused_with_advice():
    with pytest.raises(SerializationError, match=r"version 2.*upgrade"):
        ANY.loads("job", '{"version":2,"args":[],"kwargs":{}}')


def test_a_serializer_that_there_is_not_is_refused():
    with pytest.raises(ConfigurationError, match=r"'jsn'; did you mean 'json'\?"):
        ArgumentSerializer("jsn")


def test_keys_are_checked():
    with pytest.raises(ConfigurationError, match="signing_key is empty"):
        SigningKeys.of("")
    with pytest.raises(TypeError, match="must be text or bytes"):
        SigningKeys.of(3)


def test_releases_that_know_of_no_signatures_of_rows_read_the_arguments_of_signed_ones():
    text = ANY.dumps("job", (1, {2}), {"a": 3})
    signed = sealed(text, "ab" * 32)
    assert unsealed(signed) == (text, "ab" * 32)
    assert unsealed(text) == (text, None)
    assert json.loads(signed).keys() == {"version", "args", "kwargs", "signature"}
    assert ANY.loads("job", signed) == ((1, {2}), {"a": 3})


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["$type", "value", "zone", "fold", "signature", "x"]),
        inner | st.sampled_from(["dict", "set", "tuple", "datetime", "time", "timezone", "decimal", "pickle", "gASVAgAAAAAAAABLAS4="]),
        max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.lists(JSONS, max_size=3), st.dictionaries(st.text(max_size=3), JSONS, max_size=2))
def test_whatever_json_there_is_is_read_or_refused_in_words(args, kwargs):
    for serializer in (ANY, JSON, SIGNED):
        try:
            read = serializer.loads("job", json.dumps({"version": 1, "args": args, "kwargs": kwargs}))
        except SerializationError as error:
            read = str(error)
        assert len(read) < 1000


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"version":1,"args":' + "[" * 900 + "]" * 900 + ',"kwargs":{}}',
        "9" * 5000,
        "NaN",
        "{",
        "\ud800",
    ],
)
def test_text_that_is_no_arguments_is_refused_in_words(text):
    with pytest.raises(SerializationError) as raised:
        ANY.loads("job", text)
    assert len(str(raised.value)) < 1000
