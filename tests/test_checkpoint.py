"""Checkpoints: what is written comes back, whole or not at all."""

import copy
import itertools
import json
import os
import tracemalloc
import zlib

import numpy as np
import pytest
from common import accepted, refusal

from minitransformer.errors import InputError
from minitransformer.runs import safetensors as own
from minitransformer.runs.checkpoint import load_checkpoint, load_facts, save_checkpoint
from minitransformer.runs.writing import write_file


@pytest.fixture
def tensors():
    rng = np.random.default_rng(0)
    return {
        "first": rng.standard_normal((3, 5)).astype(np.float32),
        "transposed": rng.standard_normal((4, 6)).T,
        "strided": rng.standard_normal((8, 9))[::2, ::3],
        "last": np.arange(7),
    }


def saved(tmp_path, tensors, facts=None):
    path = tmp_path / "step-1.safetensors"
    save_checkpoint(path, tensors, facts or {"step": 1})
    return path


def test_every_array_comes_back_bit_for_bit_transposed_and_strided_ones_too(tmp_path, tensors):
    loaded, _ = load_checkpoint(saved(tmp_path, tensors))
    assert set(loaded) == set(tensors)
    for name, array in tensors.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


def unusual_arrays():
    """Of every dtype, byte order, layout and shape that safetensors has a place for."""
    rng = np.random.default_rng(1)
    for dtype in own.DTYPES:
        for order in "<>":
            array = (100 * rng.standard_normal((3, 4, 5))).astype(
                np.dtype(dtype).newbyteorder(order)
            )
            read_only = array.copy()
            read_only.flags.writeable = False
            layouts = {
                "plain": array, "Fortran": np.asfortranarray(array),
                "strided": array[::2, ::-1, 1::2], "read-only": read_only,
            }
            layouts |= {
                "scalar": array[0, 0, 0].reshape(()), "none": array[:, :0], "transposed": array.T,
                "broadcast": np.broadcast_to(array[0], (2, 4, 5)),
            }
            layouts["offset"] = np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1)
            for layout, x in layouts.items():
                yield f"{dtype} {order} {layout}", x


def test_arrays_of_every_dtype_byte_order_layout_and_shape_come_back(tmp_path):
    arrays = dict(unusual_arrays())
    loaded, _ = accepted(load_checkpoint, saved(tmp_path, arrays))
    assert set(loaded) == set(arrays) and len(arrays) > 200
    for name, array in arrays.items():
        assert loaded[name].shape == array.shape and loaded[name].dtype == array.dtype.newbyteorder(
            "="
        )
        np.testing.assert_array_equal(loaded[name], array)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a"]), np.array([None]), np.zeros(2, complex), np.zeros(2, "M8[s]"),
        np.zeros(2, [("a", "f4")]),
    ],
    ids=lambda a: a.dtype.name,
)
def test_a_dtype_that_a_checkpoint_cannot_hold_is_refused(tmp_path, array):
    assert "The tensor 'a' has dtype" in refusal(saved, tmp_path, {"a": array})
    assert not [*tmp_path.iterdir()]


def test_facts_come_back_with_their_large_integers(tmp_path, tensors):
    facts = {"random": np.random.default_rng(3).bit_generator.state, "vocabulary": ["é", "+"]}
    assert load_checkpoint(saved(tmp_path, tensors, facts))[1] == facts


def test_a_crash_while_writing_leaves_the_old_checkpoint(tmp_path, tensors, monkeypatch):
    path = saved(tmp_path, tensors)

    def crash(*_):
        raise OSError("power failure")

    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, crash)
            with pytest.raises(OSError, match="power failure"):
                save_checkpoint(path, {"first": np.zeros(2)}, {"step": 2})
        loaded, facts = load_checkpoint(path)
        assert facts == {"step": 1}
        np.testing.assert_array_equal(loaded["first"], tensors["first"])


def test_the_file_is_synced_before_it_is_renamed(tmp_path, tensors, monkeypatch):
    calls = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("sync"), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("rename"), replace(a, b)))
    saved(tmp_path, tensors)
    assert calls[:2] == ["sync", "rename"]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_file_that_is_cut_short_is_refused(tmp_path, tensors, share):
    path = saved(tmp_path, tensors)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="cut short or damaged"):
        load_checkpoint(path)


def test_the_first_tensor_that_is_missing_from_a_cut_file_is_named(tmp_path):
    path = saved(tmp_path, {"a": np.zeros(100), "b": np.ones(100), "c": np.ones(100)})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 1200])  # all of c and half of b are gone
    with pytest.raises(InputError, match="from the tensor 'b' on"):
        load_checkpoint(path)


def test_a_flipped_bit_is_noticed_and_its_tensor_named(tmp_path, tensors):
    path = saved(tmp_path, tensors)
    content = bytearray(path.read_bytes())
    at = content.index(tensors["first"].tobytes()) + 9
    content[at] ^= 4
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="the tensor 'first' differs"):
        load_checkpoint(path)


def test_another_version_and_a_foreign_file_are_refused(tmp_path, tensors, monkeypatch):
    from safetensors.numpy import save_file

    monkeypatch.setattr("minitransformer.runs.checkpoint.VERSION", 7)
    path = saved(tmp_path, tensors)
    monkeypatch.undo()
    with pytest.raises(
        InputError, match="format version 7; this minitransformer reads versions 2 and 3"
    ):
        load_checkpoint(path)
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(InputError, match="no checkpoint of minitransformer"):
        load_checkpoint(path)
    with pytest.raises(InputError, match="There is no checkpoint"):
        load_checkpoint(tmp_path / "nothing.safetensors")


def test_every_flipped_bit_of_the_header_is_noticed(tmp_path, tensors):
    path = saved(
        tmp_path, tensors, {"step": 1, "random": np.random.default_rng(3).bit_generator.state}
    )
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    length = int.from_bytes(content[:8], "little")
    for _ in range(300):
        damaged = bytearray(content)
        damaged[rng.integers(0, 8 + length)] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(damaged))
        with pytest.raises(InputError):
            load_checkpoint(path)


def rewritten(path, change, version=None):
    """Change the JSON table of a safetensors file's header, and nothing behind it."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    table = json.loads(content[8 : 8 + length])
    change(table)
    if version:
        table["__metadata__"]["version"] = version
    header = json.dumps(table).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table["first"].update(dtype="I32"),
        lambda table: table["first"].update(dtype="U32"),
        lambda table: table["first"].update(shape=[5, 3]),
        lambda table: table["first"].update(shape=[15]),
        lambda table: table.update(first=table["twin"], twin=table["first"]),
        lambda table: table.update(other=table.pop("first")),
    ],
    ids=["int", "unsigned", "transposed", "flat", "swapped", "renamed"],
)
def test_a_tensor_under_another_name_dtype_or_shape_is_refused(tmp_path, tensors, change):
    tensors = {"first": tensors["first"], "twin": -tensors["first"]}
    path = saved(tmp_path, tensors)
    rewritten(path, change)
    with pytest.raises(InputError, match="is damaged: the tensor 'first' (differs|is missing)"):
        load_checkpoint(path)


def written_with(path, tensors, named, version):
    """A file with these tensors whose checksums name other ones."""
    from safetensors.numpy import save

    sums = {name: zlib.crc32(np.ascontiguousarray(array)) for name, array in named.items()}
    header = {
        "format": "minitransformer checkpoint", "version": version, "facts": "{}",
        "checksums": json.dumps(sums),
    }
    header["checksum"] = str(zlib.crc32((header["facts"] + header["checksums"]).encode()))
    path.write_bytes(save(tensors, header))


@pytest.mark.parametrize("version", ["2", "3"])
@pytest.mark.parametrize(
    "ask", [load_checkpoint, load_facts, lambda path: load_checkpoint(path, "b")],
    ids=["all", "facts", "some"],
)
def test_a_tensor_that_is_missing_or_too_many_is_named(tmp_path, version, ask):
    path, a, b = tmp_path / "x.safetensors", np.ones(3), np.zeros(2)
    written_with(path, {"b": b}, {"a": a, "b": b}, version)
    assert "the tensor 'a' is missing" in refusal(ask, path)
    written_with(path, {"a": a, "b": b}, {"b": b}, version)
    assert "the tensor 'a' is not one that was saved" in refusal(ask, path)


def test_a_file_of_format_2_is_still_read(tmp_path):
    path, a = tmp_path / "x.safetensors", np.arange(6.0).reshape(2, 3)
    written_with(path, {"a": a}, {"a": a}, "2")
    np.testing.assert_array_equal(accepted(load_checkpoint, path)[0]["a"], a)
    written_with(path, {"a": a}, {"a": a + 1}, "2")
    assert "the tensor 'a' differs" in refusal(load_checkpoint, path)


@pytest.mark.parametrize("facts", ["[" * 100_000, "{", "\\ud800", ""])
def test_facts_that_are_no_json_are_refused(tmp_path, facts):
    from safetensors.numpy import save

    header = {
        "format": "minitransformer checkpoint", "version": "3", "facts": facts, "checksums": "{}",
    }
    header["checksum"] = str(zlib.crc32((facts + "{}").encode()))
    (tmp_path / "x.safetensors").write_bytes(save({}, header))
    assert "cut short or damaged" in refusal(load_facts, tmp_path / "x.safetensors")


def test_no_link_is_followed_and_no_file_of_somebody_elses_is_written_to(tmp_path, tensors):
    (tmp_path / "mine.txt").write_text("mine")
    path = tmp_path / "step-1.safetensors"
    for name in (path.name, f"{path.name}.part"):
        (tmp_path / name).symlink_to(tmp_path / "mine.txt")
    saved(tmp_path, tensors)
    assert (tmp_path / "mine.txt").read_text() == "mine" and not path.is_symlink()
    assert set(load_checkpoint(path)[0]) == set(tensors)
    assert {p.name for p in tmp_path.iterdir()} == {"mine.txt", path.name, f"{path.name}.part"}


def test_a_name_that_is_taken_meanwhile_is_not_written_to(tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_text("mine")
    monkeypatch.setattr("minitransformer.runs.writing.secrets.token_hex", lambda count: "7" * 16)
    place = tmp_path / f"a.{'7' * 16}.part"
    for make in (lambda: place.symlink_to(tmp_path / "mine.txt"), lambda: place.write_text("mine")):
        make()
        with pytest.raises(FileExistsError):
            write_file(tmp_path / "a", b"content")
        assert (tmp_path / "mine.txt").read_text() == place.read_text() == "mine" and not (
            tmp_path / "a"
        ).exists()
        place.unlink()


def test_a_full_disk_leaves_no_half_written_file(tmp_path, tensors, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path / "a.safetensors", tensors, {})
    assert not list(tmp_path.iterdir())


# -- the format ------------------------------------------------------------------------------------


def test_the_package_safetensors_writes_the_same_bytes():
    """But for the order of the metadata, which it leaves to chance: here there is one entry."""
    from safetensors.numpy import save

    arrays = {
        f"{name} é": np.asarray(x, x.dtype.newbyteorder("<"), order="C")
        for name, x in unusual_arrays()
    }
    assert len(arrays) > 200
    for some in (arrays, {}):
        assert own.as_bytes(some, {"über": "ß √"}) == save(some, {"über": "ß √"})


def test_the_package_safetensors_reads_what_is_written(tmp_path):
    from safetensors.numpy import load_file

    arrays = dict(unusual_arrays())
    theirs = load_file(saved(tmp_path, arrays))
    assert set(theirs) == set(arrays)
    for name, array in arrays.items():
        assert theirs[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(theirs[name], array)


def test_what_the_package_safetensors_writes_is_read(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "x.safetensors"
    arrays = {
        name: np.array(x, x.dtype.newbyteorder("="), order="C") for name, x in unusual_arrays()
    }
    save_file(arrays, path, {"a": "text"})
    with open(path, "rb") as file:
        table, metadata, place, length = own.read_table(file)
        own.expect_whole(table, length)
        found = {name: own.read_array(file, entry, place) for name, entry in table.items()}
    assert metadata == {"a": "text"} and set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and found[name].flags.writeable
        np.testing.assert_array_equal(found[name], array)


def wrong_tables(rng, table):
    """The table with one entry changed: a key, a place, a shape, a dtype, an array that is gone."""
    names = [name for name in table if name != "__metadata__"]
    while True:
        changed = copy.deepcopy(table)
        entry = changed[rng.choice(names)]
        key = ["shape", "data_offsets", "dtype"][rng.integers(3)]
        kind = rng.integers(5)
        if kind == 0:
            del entry[key]
        elif kind == 1:
            del changed[rng.choice(names)]
        elif kind == 2:
            wrong = [None, [], "", -1, "F33", "F16", "I8", {}, [1], [0, 0], [-3, -5], [[3], 5]]
            entry[key] = wrong[rng.integers(len(wrong))]
        elif key != "dtype":
            entry[key][-1] += int(rng.choice([-8, -1, 1, 4, 1 << 62]))
        yield changed


def test_a_table_that_the_package_safetensors_refuses_is_refused(tmp_path):
    from safetensors import SafetensorError, safe_open

    path, rng = tmp_path / "x.safetensors", np.random.default_rng(0)
    arrays = {"a": rng.random((3, 5)), "b": np.arange(4, dtype=np.int8)[:, None], "c": np.ones(0)}
    save_checkpoint(path, arrays, {})
    whole, refused = path.read_bytes(), 0
    length = int.from_bytes(whole[:8], "little")
    for table in itertools.islice(wrong_tables(rng, json.loads(whole[8 : 8 + length])), 500):
        text = json.dumps(table).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + length :])
        try:
            with safe_open(path, framework="numpy") as file:
                for name in file.keys():
                    file.get_tensor(name)
        except SafetensorError:
            refused += 1
            assert "is cut short or damaged" in refusal(load_checkpoint, path), table
    assert refused > 300


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 8 + b"{}", bytes(8), b"[" * 200_000])
def test_a_file_without_a_table_is_refused(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    assert "is cut short or damaged, in its header" in refusal(load_checkpoint, path)
    path.write_bytes(len(content).to_bytes(8, "little") + content)
    if content != b"{}":
        assert "is cut short or damaged, in its header" in refusal(load_facts, path)


def test_data_that_is_left_over_is_refused(tmp_path, tensors):
    path = saved(tmp_path, tensors)
    path.write_bytes(path.read_bytes() + b"more")
    assert "is cut short or damaged" in refusal(load_facts, path)


def test_a_table_in_utf_16_is_refused(tmp_path, tensors):
    path = saved(tmp_path, tensors)
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    text = whole[8 : 8 + length].decode().encode("utf-16")
    path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + length :])
    assert "is cut short or damaged, in its header" in refusal(load_checkpoint, path)


def test_a_file_of_another_program_with_a_dtype_that_numpy_lacks_is_no_checkpoint(tmp_path):
    table = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(table).to_bytes(8, "little") + table + bytes(4))
    assert "no checkpoint of minitransformer" in refusal(load_checkpoint, path)


def test_no_more_is_read_than_is_asked_for(tmp_path):
    arrays = {"large": np.zeros(1 << 21), "small/a": np.ones(1 << 10)}
    path = saved(tmp_path, arrays)
    tracemalloc.start()
    try:
        assert [*load_checkpoint(path, "small/")[0]] == ["small/a"]
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.reset_peak()
        load_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 1.1 * arrays["large"].nbytes
    finally:
        tracemalloc.stop()
