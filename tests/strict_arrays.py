"""A stand-in for CuPy on machines without a GPU: NumPy underneath, and as strict as another
device's memory.

An `Array` refuses to become a NumPy array unasked, to be mixed with one, and to be touched by
NumPy's functions; its library, `xp`, has only names that CuPy has. So whatever runs on it has no
stray `np.` in it. What comes from the device is counted: a program on a GPU has to wait for it.

A stream can be captured, as in CUDA: what is launched meanwhile goes into a graph, and
`graph.launch()` does it again, in the same memory, with the numbers that Python had then. While it
is captured nothing may cross between the two memories.
"""

import collections
import contextlib
import types

import cuda_on_cpu
import numpy as np

downloads = collections.Counter()  # {how: how often something came from the device}
tape = None  # while a graph is captured: what was launched, one after the other

# What of NumPy the package may ask of CuPy. `test_device.py` holds the list to CuPy's own names
# where CuPy is installed.
FUNCTIONS = """
arange argsort ascontiguousarray broadcast_to clip concatenate copyto empty empty_like exp
flatnonzero full isfinite log matmul maximum minimum multiply divide add sqrt ones sort stack
take_along_axis tanh tri where zeros zeros_like
""".split()
CONSTANTS = "float32 float64 int64 int32 uint16 uint64 bool_ inf nan newaxis pi".split()
METHODS = """
all any argmax argmin argsort astype clip copy cumsum fill max mean min ravel repeat reshape sort
std squeeze sum swapaxes take transpose var
""".split()
OPERATORS = (
    "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift lt le gt ge eq ne".split()
)
IN_PLACE = "add sub mul truediv floordiv pow and or xor".split()
UNARY = "neg pos invert abs".split()


def expect_no_refusal(function, arguments):
    """CuPy 14 makes no products while a stream is captured, and joins no more than eight arrays."""
    name = getattr(getattr(function, "plain", function), "__name__", "")
    if tape is not None and (
        "matmul" in name or name in ("concatenate", "stack") and len(arguments[0]) > 8
    ):
        raise Unsupported(f"CuPy's {name} is not for a graph that is captured")


def launch(function, arguments, options=None):
    """function(*arguments) on NumPy's arrays, noted on the tape."""
    options = options or {}
    expect_no_refusal(function, arguments)
    result = function(*arguments, **options)
    if tape is not None:
        tape.append((function, arguments, options, result))
    return result


def launch_again(function, arguments, options, result):
    """Once more, with what is in the memory now, into the memory of the first result."""
    again = function(*arguments, **options)
    for old, new in zip(result, again) if isinstance(result, (tuple, list)) else [(result, again)]:
        if isinstance(old, np.ndarray) and old is not new and not np.shares_memory(old, new):
            old[...] = new


def expect_no_crossing(what="an array goes from one memory to the other"):
    if tape is not None:
        raise Unsupported(f"{what} while a graph is captured")


def expect_no_selection(index):
    """Where True and False choose, CuPy has to look how many there are."""
    if any(
        isinstance(i, np.ndarray) and i.dtype == bool
        for i in (index if isinstance(index, tuple) else [index])
    ):
        expect_no_crossing("a mask chooses elements")
        downloads["mask"] += 1


class Stray(TypeError, AssertionError):
    """CuPy's TypeError where two memories meet unasked; for a test, a failed assertion."""


class Unsupported(RuntimeError, AssertionError):
    """What CUDA raises where something would have to wait while a stream is captured."""


class Array:
    """An array that lives elsewhere."""

    __hash__ = None

    def __init__(self, array, owner=None):
        self._array = array
        if tape is not None:
            tape.kept.append(array)  # a recording keeps its memory
        self._owner = owner  # as in CuPy, a view of a view is a view of the whole

    def get(self):
        """A copy in NumPy's memory, asked for by name."""
        expect_no_crossing()
        downloads["get"] += 1
        return self._array.copy()

    def __array__(self, *_, **__):
        raise Stray(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct "
            "a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc, *_, **__):
        raise Stray(f"numpy.{ufunc.__name__} was called with an array of another library")

    def __array_function__(self, function, *_):
        raise Stray(f"numpy.{function.__name__} was called with an array of another library")

    def __array_namespace__(self, api_version=None):
        return xp

    def __getitem__(self, index):
        expect_no_selection(unwrapped(index))
        return wrapped(launch(taken, (self._array, unwrapped(index))), self)

    def __setitem__(self, index, value):
        expect_no_selection(unwrapped(index))
        launch(put, (self._array, unwrapped(index), unwrapped(value)))

    def __len__(self):
        return len(self._array)

    def __iter__(self):
        raise Stray("an array of another device is not walked through element by element")

    def __repr__(self):
        return f"strict {self._array!r}"

    def __deepcopy__(self, memo):
        return Array(self._array.copy())

    dtype = property(lambda self: self._array.dtype)
    shape = property(lambda self: self._array.shape)
    strides = property(lambda self: self._array.strides)
    flags = property(
        lambda self: types.SimpleNamespace(c_contiguous=self._array.flags.c_contiguous)
    )
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    itemsize = property(lambda self: self._array.itemsize)
    nbytes = property(lambda self: self._array.nbytes)
    base = property(lambda self: self._owner)
    data = property(lambda self: types.SimpleNamespace(ptr=self._array.ctypes.data))
    T = property(lambda self: wrapped(self._array.T, self))


def wrapped_around(index, array):
    """As CuPy does: no number in an index is too large, it counts from the beginning again."""
    numbers = [
        isinstance(i, np.ndarray) and i.dtype.kind in "iu"
        for i in (index if isinstance(index, tuple) else [index])
    ]
    if isinstance(index, tuple):
        return tuple(i % size for i, size in zip(index, array.shape)) if all(numbers) else index
    return index % len(array) if all(numbers) else index


def taken(array, index):
    return np.asarray(array[wrapped_around(index, array)])


def put(array, index, value):
    array[wrapped_around(index, array)] = value


def added_at(array, index, rows):
    np.add.at(array, wrapped_around(index, array), rows)


def waits(how, function):
    """A method by which a number leaves the device."""

    def method(self, *arguments):
        expect_no_crossing()
        downloads[how] += 1
        return function(self._array, *arguments)

    return method


def as_array(function):
    """The function, with an array of no dimensions in place of a number: on a GPU it has a place in
    the memory."""

    def method(*arguments, **options):
        result = function(*arguments, **options)
        return np.asarray(result) if isinstance(result, np.generic) else result

    method.plain = function
    return method


def operator_of(name):
    function = as_array(getattr(np.ndarray, name))
    return lambda self, *others: wrapped(launch(function, (self._array, *unwrapped(others))))


def in_place(name):
    def method(self, other):
        launch(getattr(np.ndarray, name), (self._array, unwrapped(other)))
        return self

    return method


for name, function in {
    "__bool__": bool, "__int__": int, "__float__": float, "__index__": lambda x: x.__index__(),
}.items():
    setattr(Array, name, waits(name, function))
Array.item, Array.tolist = waits("item", np.ndarray.item), waits("tolist", np.ndarray.tolist)
for name in OPERATORS:
    setattr(Array, f"__{name}__", operator_of(f"__{name}__"))
    if hasattr(np.ndarray, f"__r{name}__"):
        setattr(Array, f"__r{name}__", operator_of(f"__r{name}__"))
for name in IN_PLACE:
    setattr(Array, f"__i{name}__", in_place(f"__i{name}__"))
for name in UNARY:
    setattr(Array, f"__{name}__", operator_of(f"__{name}__"))


def method_of(name):
    function = as_array(getattr(np.ndarray, name))

    def method(self, *arguments, **options):
        return wrapped(
            launch(function, (self._array, *unwrapped(arguments)), unwrapped(options)), self
        )

    return method


for name in METHODS:
    setattr(Array, name, method_of(name))


def wrapped(result, source=None):
    """NumPy's result as one of ours: also a number, which on a GPU is an array of no dimensions."""
    if isinstance(result, (np.ndarray, np.generic)):
        is_view = (
            source is not None
            and isinstance(result, np.ndarray)
            and np.may_share_memory(result, source._array)
        )
        return Array(
            np.asarray(result),
            (source if source.base is None else source.base) if is_view else None,
        )
    if isinstance(result, (tuple, list)):
        return type(result)(map(wrapped, result))
    return result


def unwrapped(argument):
    """Ours as NumPy's. Raises Stray for an array of NumPy's own, anywhere in it."""
    if isinstance(argument, Array):
        return argument._array
    if isinstance(argument, np.ndarray):
        raise Stray(f"an array of NumPy, of shape {argument.shape}, among those of another device")
    if isinstance(argument, (tuple, list)):
        return type(argument)(map(unwrapped, argument))
    if isinstance(argument, dict):
        return {name: unwrapped(value) for name, value in argument.items()}
    if isinstance(argument, slice):
        return slice(*map(unwrapped, (argument.start, argument.stop, argument.step)))
    return argument


def function_of(name):
    plain = as_array(getattr(np, name))

    def function(*arguments, **options):
        return wrapped(launch(plain, unwrapped(arguments), unwrapped(options)))

    return function


def asarray(x, dtype=None):
    """The one door from NumPy's memory to ours."""
    if isinstance(x, Array):
        return x if dtype is None else x.astype(dtype)
    expect_no_crossing()
    return Array(np.array(x, dtype=dtype))


def add_at(array, index, rows):
    launch(added_at, (array._array, unwrapped(index), unwrapped(rows)))


class RawKernel(cuda_on_cpu.RawKernel):
    """One of `xp`, where there is a C++ compiler."""

    def __call__(self, grid, block, arguments):
        launch(super().__call__, (grid, block, unwrapped(arguments)))


class Cublas:
    """cuBLAS, which works on pointers."""

    def __getattr__(self, name):
        function = getattr(cuda_on_cpu.loaded(cuda_on_cpu.CUBLAS), name)
        return lambda *arguments: launch(function, arguments)


class Tape(list):
    """What was launched while a stream was captured, and the memory that was taken meanwhile."""

    def __init__(self):
        self.kept = []


class Stream:
    """One of `xp.cuda`, which can be captured."""

    current, count = types.SimpleNamespace(ptr=0), 0

    def __init__(self, non_blocking=False):
        Stream.count += 1
        self.ptr = Stream.count

    def __enter__(self):
        self.before, Stream.current = Stream.current, self

    def __exit__(self, *_):
        Stream.current = self.before

    def begin_capture(self):
        global tape
        tape = Tape()

    def end_capture(self):
        global tape
        captured, tape = tape, None
        return types.SimpleNamespace(
            launch=lambda: [launch_again(*launched) for launched in captured]
        )


xp = types.ModuleType("strict")
vars(xp).update(
    {name: function_of(name) for name in FUNCTIONS},
    **{name: getattr(np, name) for name in CONSTANTS},
)
vars(xp).update(ndarray=Array, asarray=asarray, add=types.SimpleNamespace(at=add_at))
if cuda_on_cpu.COMPILER:
    xp.RawKernel = RawKernel
xp.cuda = types.SimpleNamespace(
    Stream=Stream,
    get_current_stream=lambda: Stream.current,
    Memory=int,
    MemoryPointer=lambda memory, offset: memory,
    MemoryPool=lambda allocator: types.SimpleNamespace(
        malloc=allocator, free_all_blocks=lambda: None
    ),
    # it asks once, and then takes NumPy's memory
    using_allocator=lambda malloc: contextlib.nullcontext(malloc(1)),
)
xp.get_default_memory_pool = lambda: xp.cuda.MemoryPool(None)


@contextlib.contextmanager
def counted():
    """Inside, and afterwards: {how: how often} for what came from the device meanwhile."""
    before, found = downloads.copy(), collections.Counter()
    yield found
    found.update({how: n - before[how] for how, n in downloads.items() if n > before[how]})
