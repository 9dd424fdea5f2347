# The boundary to the C core: objects own C handles, arrays become pointers, statuses become exceptions. Nothing here computes.
# Arrays come and go through the buffer protocol, so the extension does not depend on NumPy's binary interface.
from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy, memset

import operator
import os
import sys
import threading
from collections import namedtuple

import numpy as np


# ---- Errors ----------------------------------------------------------------------------------------------------------

cdef object exception_of(cconv_status status):
    text = cconv_last_error().decode("utf-8", "replace")
    if status == CCONV_NO_MEMORY:
        return MemoryError(text)
    if status == CCONV_UNSUPPORTED:
        return NotImplementedError(text)
    if status == CCONV_BUSY:
        return RuntimeError(text)
    if status == CCONV_INTERRUPTED:
        return KeyboardInterrupt(text)
    if status == CCONV_IO:
        return OSError(text)
    return ValueError(text)


cdef int check(cconv_status status) except -1:
    if status != CCONV_OK:
        raise exception_of(status)
    return 0


cdef object failure():
    """The exception for a call that returned NULL or 0."""
    return exception_of(cconv_last_status())


# ---- Conversions -----------------------------------------------------------------------------------------------------

cdef bytes text_of(name):
    return None if name is None else str(name).encode()


cdef inline const char *chars(bytes text):
    return NULL if text is None else <const char *>text


cdef str word(value):
    """An attribute's value as the C core reads it; floats keep all their digits."""
    if isinstance(value, (bool, np.bool_)):
        return "1" if value else "0"
    if isinstance(value, str):
        return value
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    if isinstance(value, (list, tuple, np.ndarray)):
        return ",".join([word(v) for v in value])
    if value is None:
        raise TypeError("expected a number, a word or a sequence of integers, received None")
    return str(value)


cdef bytes attribute_text(attributes):
    return " ".join([f"{name}={word(value)}" for name, value in attributes.items()]).encode() if attributes else b""


cdef int read_sizes(shape, int64_t *sizes) except -1:
    """Copies a shape, None as -1, into sizes[CCONV_MAX_RANK]; returns the rank."""
    cdef int rank = len(shape), i
    if rank > CCONV_MAX_RANK:
        raise ValueError(f"expected a shape of rank at most {CCONV_MAX_RANK}, received {tuple(shape)}")
    for i in range(rank):
        sizes[i] = -1 if shape[i] is None else shape[i]
    return rank


cdef tuple shape_of(int rank, const int64_t *sizes):
    return tuple([None if sizes[i] < 0 else sizes[i] for i in range(rank)])


cdef class Memory:
    """A block of C memory that lives as long as this object."""
    cdef void *at

    def __cinit__(self, size_t size):
        self.at = PyMem_Malloc(size if size else 1)
        if self.at == NULL:
            raise MemoryError(f"could not get {size} bytes")
        memset(self.at, 0, size)

    def __dealloc__(self):
        PyMem_Free(self.at)


cdef Memory ints(values):
    cdef Memory memory = Memory(len(values) * sizeof(int))
    cdef Py_ssize_t i
    for i in range(len(values)):
        (<int *>memory.at)[i] = values[i]
    return memory


# ---- Element types ---------------------------------------------------------------------------------------------------

cdef list names_of_types():
    cdef int i = 0
    names = []
    while cconv_dtype_name(<cconv_dtype>i) != NULL:
        names.append(cconv_dtype_name(<cconv_dtype>i).decode())
        i += 1
    return names


cdef list type_names = names_of_types()  # by number
cdef dict type_numbers = {name: number for number, name in enumerate(type_names)}
# By the buffer protocol's letter: NumPy's, where it has the type; C's int and long are one of them.
cdef dict type_letters = {np.dtype(name).char: number for name, number in type_numbers.items() if name != "bfloat16"}
type_letters.update({code: type_numbers["int32" if np.dtype(code).itemsize == 4 else "int64"] for code in "ilq"})
# An array says the machine's own byte order, if it says one: files' dtypes name it.
type_letters.update({f"{'<' if sys.byteorder == 'little' else '>'}{code}": number for code, number in list(type_letters.items())})
cdef list type_arrays = [None if name == "bfloat16" else np.dtype(name) for name in type_names]


def dtypes():
    return tuple(type_names)


cdef cconv_dtype type_number(name) except *:
    number = type_numbers.get(name)
    if number is None:
        raise ValueError(f"expected a dtype of {', '.join(type_names)}, received {name!r}")
    return <cconv_dtype><int>number


# ---- Variables -------------------------------------------------------------------------------------------------------

cdef class Variable:
    cdef cconv_variable *handle
    cdef readonly tuple shape
    cdef Py_ssize_t sizes[8]
    cdef Py_ssize_t strides[8]
    cdef object __weakref__

    def __cinit__(self, shape=None):
        if shape is None:
            return  # adopt() follows
        cdef int64_t sizes[8]
        cdef int rank = read_sizes(shape, sizes)
        self.handle = cconv_variable_new(rank, sizes)
        if self.handle == NULL:
            raise failure()
        self.describe()

    @staticmethod
    cdef Variable adopt(cconv_variable *handle):
        cdef Variable self = Variable.__new__(Variable)
        self.handle = cconv_variable_retain(handle)
        self.describe()
        return self

    cdef void describe(self):
        cdef int64_t sizes[8]
        cdef int rank = cconv_variable_shape(self.handle, sizes), i
        cdef Py_ssize_t stride = sizeof(float)
        for i in range(rank - 1, -1, -1):
            self.sizes[i] = sizes[i]
            self.strides[i] = stride
            stride *= sizes[i]
        self.shape = shape_of(rank, sizes)

    def __dealloc__(self):
        cconv_variable_free(self.handle)

    def __getbuffer__(self, Py_buffer *view, int flags):
        if flags & PyBUF_WRITABLE:
            raise BufferError("a variable's buffer is read-only: use assign(), so that plans notice the change")
        view.buf = cconv_variable_data(self.handle)
        view.format = b"f"
        view.itemsize = sizeof(float)
        view.len = cconv_variable_count(self.handle) * sizeof(float)
        view.ndim = len(self.shape)
        view.shape = self.sizes
        view.strides = self.strides
        view.suboffsets = NULL
        view.internal = NULL
        view.readonly = 1
        view.obj = self

    def __releasebuffer__(self, Py_buffer *view):
        pass

    @property
    def array(self):
        return np.asarray(self)

    def assign(self, values):
        values = np.asarray(values, dtype=np.float32, order="C")
        if values.shape != self.shape:
            raise ValueError(f"expected values of shape {self.shape}, received shape {values.shape}")
        cdef Py_buffer view
        PyObject_GetBuffer(values, &view, PyBUF_C_CONTIGUOUS)
        memcpy(cconv_variable_data(self.handle), view.buf, view.len)
        PyBuffer_Release(&view)
        cconv_variable_touch(self.handle)

    def fill(self, pieces):
        """Like `assign`, from arrays that are parts of the values in order, and as many numbers in all."""
        cdef Py_buffer view
        cdef size_t at = 0, count = cconv_variable_count(self.handle)
        for piece in pieces:
            piece = np.ascontiguousarray(piece, np.float32)
            at += piece.size
            if at > count:
                break
            PyObject_GetBuffer(piece, &view, PyBUF_C_CONTIGUOUS)
            memcpy(cconv_variable_data(self.handle) + at - <size_t>piece.size, view.buf, view.len)
            PyBuffer_Release(&view)
        cconv_variable_touch(self.handle)
        if at != count:
            raise ValueError(f"expected as many values as {self.shape} has, received {'more' if at > count else 'fewer'}")


# ---- Ops and optimizer rules: what their tables say ------------------------------------------------------------------

Attribute = namedtuple("Attribute", "name type default choices meaning")
Op = namedtuple("Op", "name inputs meaning types attributes differentiable random elementwise per_sample weights bias residual")


cdef object attribute_of(cconv_attribute *a):
    return Attribute(
        a.name.decode(), a.type.decode(), None if a.default_value == NULL else a.default_value.decode(),
        () if a.choices == NULL else tuple(a.choices.decode().split("|")), a.meaning.decode())


def ops():
    cdef cconv_attribute attribute
    cdef cconv_op_facts facts
    cdef int i, k
    table = {}
    for i in range(cconv_op_count()):
        name = cconv_op_name(i)
        attributes = []
        k = 0
        while cconv_op_attribute(name, k, &attribute) == CCONV_OK:
            attributes.append(attribute_of(&attribute))
            k += 1
        check(cconv_op_info(name, &facts))
        table[name.decode()] = Op(name.decode(), tuple(cconv_op_inputs(name).decode().split()),
                                  cconv_op_meaning(name).decode(), cconv_op_types(name).decode(),
                                  tuple(attributes), bool(facts.differentiable), bool(facts.random), bool(facts.elementwise), bool(facts.per_sample),
                                  facts.weights, facts.bias, facts.residual)
    return table


def optimizer_rules():
    cdef cconv_attribute attribute
    cdef int i, k
    table = {}
    for i in range(cconv_optimizer_count()):
        name = cconv_optimizer_name(i)
        attributes = []
        k = 0
        while cconv_optimizer_attribute(name, k, &attribute) == CCONV_OK:
            attributes.append(attribute_of(&attribute))
            k += 1
        table[name.decode()] = tuple(attributes)
    return table


def infer(op, shapes, attributes={}, name=None):
    return infer_value(op, shapes, ["float32"] * len(shapes), attributes, name)[0]


def infer_value(op, shapes, dtypes, attributes={}, name=None):
    cdef int n = len(shapes), i, rank
    cdef Memory ranks = Memory(n * sizeof(int)), sizes = Memory(n * 8 * sizeof(int64_t)), pointers = Memory(n * sizeof(void *))
    cdef Memory types = Memory(n * sizeof(cconv_dtype))
    cdef int64_t result[8]
    cdef cconv_dtype dtype
    for i in range(n):
        (<int64_t **>pointers.at)[i] = <int64_t *>sizes.at + 8 * i
        (<int *>ranks.at)[i] = -1 if shapes[i] is None else read_sizes(shapes[i], <int64_t *>sizes.at + 8 * i)
        if shapes[i] is not None:
            (<cconv_dtype *>types.at)[i] = type_number(dtypes[i])
    cdef bytes op_text = text_of(op), name_text = text_of(name), text = attribute_text(attributes)
    check(cconv_infer(chars(op_text), chars(name_text), n, <cconv_dtype *>types.at, <int *>ranks.at, <const int64_t **>pointers.at,
                      text, &dtype, &rank, result))
    return shape_of(rank, result), type_names[<int>dtype]


# ---- Graphs ----------------------------------------------------------------------------------------------------------

Node = namedtuple("Node", "kind name op inputs attributes dtype shape value")

cdef tuple kinds = ("input", "variable", "constant", "op")


cdef object values_of(cconv_node *node):
    """A copy of a constant's values."""
    values = np.empty([node.shape[i] for i in range(node.rank)], dtype=np.int32 if node.dtype == CCONV_INT32 else np.float32)
    cdef Py_buffer view
    PyObject_GetBuffer(values, &view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
    memcpy(view.buf, node.values, view.len)
    PyBuffer_Release(&view)
    return values.astype(bool) if node.dtype == CCONV_BOOL else values


cdef class Graph:
    cdef cconv_graph *handle
    cdef list input_shapes, input_names
    cdef object __weakref__

    def __cinit__(self):
        self.handle = cconv_graph_new()
        if self.handle == NULL:
            raise failure()
        self.input_shapes = []
        self.input_names = []

    def __dealloc__(self):
        cconv_graph_free(self.handle)

    def __len__(self):
        return cconv_graph_count(self.handle)

    def input(self, shape, name=None, dtype="float32"):
        cdef int64_t sizes[8]
        cdef int rank = read_sizes(shape, sizes)
        cdef bytes name_text = text_of(name)
        node = self.node(cconv_graph_input(self.handle, chars(name_text), type_number(dtype), rank, sizes))
        self.input_shapes.append(tuple(shape))
        self.input_names.append("" if name is None else name)
        return node

    def variable(self, Variable variable not None, name=None):
        cdef bytes name_text = text_of(name)
        return self.node(cconv_graph_variable(self.handle, chars(name_text), variable.handle))

    def constant(self, values, name=None):
        values = np.asarray(values, order="C")
        cdef int64_t sizes[8]
        cdef int rank = read_sizes(values.shape, sizes)
        cdef bytes name_text = text_of(name)
        cdef View view = View(values, False, "constant", name)
        if view.dtype < 0:
            raise TypeError(f"constant: expected an array of {', '.join(type_names)}, received format '{view.code}'")
        return self.node(cconv_graph_constant(self.handle, chars(name_text), <cconv_dtype>view.dtype, rank, sizes, view.buffer.buf))

    def add(self, op, inputs, attributes={}, name=None):
        cdef Memory nodes = ints(inputs)
        cdef bytes op_text = text_of(op), name_text = text_of(name), text = attribute_text(attributes)
        return self.node(cconv_graph_add(self.handle, chars(op_text), chars(name_text), len(inputs), <int *>nodes.at, text))

    cdef node(self, int node):
        if node == 0:
            raise failure()
        return node

    def dtype(self, int node):
        cdef int number = cconv_graph_dtype(self.handle, node)
        return type_names[number] if number >= 0 else None

    def shape(self, int node):
        cdef int64_t sizes[8]
        cdef int rank
        check(cconv_graph_shape(self.handle, node, &rank, sizes))
        return shape_of(rank, sizes)

    cdef dict attributes(self, int node):
        cdef size_t size = cconv_graph_attributes(self.handle, node, NULL, 0) + 1
        cdef Memory memory = Memory(size)
        cconv_graph_attributes(self.handle, node, <char *>memory.at, size)
        return dict([pair.split("=", 1) for pair in (<char *>memory.at).decode().split()])

    def nodes(self):
        cdef cconv_node node
        cdef int i, k
        found = []
        for i in range(1, len(self) + 1):
            check(cconv_graph_node(self.handle, i, &node))
            value = None
            if node.variable != NULL:
                value = Variable.adopt(node.variable)
            elif node.values != NULL:
                value = values_of(&node)
            found.append(Node(kinds[node.kind], node.name.decode(), None if node.op == NULL else node.op.decode(),
                              tuple([node.inputs[k] for k in range(node.n_inputs)]), self.attributes(i),
                              type_names[node.dtype], shape_of(node.rank, node.shape), value))
        return found

    def describe(self):
        cdef size_t size = cconv_graph_describe(self.handle, NULL, 0) + 1
        cdef Memory memory = Memory(size)
        cconv_graph_describe(self.handle, <char *>memory.at, size)
        return (<char *>memory.at).decode("utf-8", "replace")

    def output(self, name, int node):
        cdef bytes name_text = text_of(name)
        check(cconv_graph_output(self.handle, chars(name_text), node))

    def outputs(self):
        cdef int i
        return [(cconv_graph_output_name(self.handle, i).decode(), cconv_graph_output_node(self.handle, i))
                for i in range(cconv_graph_output_count(self.handle))]

    def save_onnx(self, path, bint channels_last=False):
        cdef cconv_onnx_save_options options
        cdef bytes where = os.fsencode(path)
        cdef const char *at = where
        cdef cconv_status status
        options.channels_last = channels_last
        with nogil:
            status = cconv_save_onnx(self.handle, at, &options)
        check(status)

    def per_sample(self, outputs):
        cdef Memory nodes = ints(outputs)
        return bool(cconv_graph_per_sample(self.handle, len(outputs), <int *>nodes.at))


def load_onnx(source, shapes={}, Graph parameters_of=None, frozen=False):
    cdef Graph graph = Graph()
    cdef Memory memory = Memory(len(shapes) * sizeof(cconv_input_shape) + 1)
    cdef cconv_input_shape *rows = <cconv_input_shape *>memory.at
    cdef cconv_onnx_options options
    cdef cconv_graph *loaded
    cdef const char *data
    cdef size_t size = 0
    cdef bint in_memory = isinstance(source, (bytes, bytearray, memoryview))
    cdef bytes text = bytes(source) if in_memory else os.fsencode(source)
    kept = [text_of(name) for name in shapes]
    for i, shape in enumerate(shapes.values()):
        rows[i].name = chars(kept[i])
        rows[i].rank = read_sizes(shape, rows[i].shape)
    options.n_shapes = len(shapes)
    options.shapes = rows
    options.parameters_of = NULL if parameters_of is None else parameters_of.handle
    options.frozen = frozen
    data = text
    size = len(text)
    with nogil:
        loaded = cconv_load_onnx_memory(data, size, &options) if in_memory else cconv_load_onnx(data, &options)
    if loaded == NULL:
        raise failure()
    cconv_graph_free(graph.handle)
    graph.handle = loaded
    for node in graph.nodes():
        if node.kind == "input":
            graph.input_shapes.append(node.shape)
            graph.input_names.append(node.name)
    return graph


# ---- Optimizers ------------------------------------------------------------------------------------------------------

cdef class Optimizer:
    cdef cconv_optimizer *handle
    cdef list members  # the others that it delegates to
    cdef object __weakref__

    def __cinit__(self, kind, settings={}):
        self.members = []
        cdef bytes kind_text = text_of(kind), text = attribute_text(settings)
        self.handle = cconv_optimizer_new(chars(kind_text), text)
        if self.handle == NULL:
            raise failure()

    def __dealloc__(self):
        cconv_optimizer_free(self.handle)

    def set(self, **settings):
        cdef bytes text = attribute_text(settings)
        check(cconv_optimizer_set(self.handle, text))

    @property
    def iterations(self):
        return cconv_optimizer_iterations(self.handle)

    @iterations.setter
    def iterations(self, value):
        cconv_optimizer_set_iterations(self.handle, value)

    def slots(self, Variable variable not None):
        cdef int i = 0
        cdef cconv_variable *slot
        slots = {}
        while cconv_optimizer_slot_name(self.handle, i) != NULL:
            slot = cconv_optimizer_slot(self.handle, variable.handle, i)
            if slot == NULL:
                raise failure()
            slots[cconv_optimizer_slot_name(self.handle, i).decode()] = Variable.adopt(slot)
            i += 1
        return slots

    def exclude_from_weight_decay(self, Variable variable not None):
        check(cconv_optimizer_exclude_from_weight_decay(self.handle, variable.handle))

    def delegate(self, Variable variable not None, Optimizer to not None):
        check(cconv_optimizer_delegate(self.handle, variable.handle, to.handle))
        self.members.append(to)


# ---- Plans -----------------------------------------------------------------------------------------------------------

cdef enum:
    FEW = 8  # arrays of a run whose pointers fit on the stack

cdef object current_thread = threading.current_thread, main_thread = threading.main_thread
cdef object empty = np.empty, float32 = np.dtype(np.float32)

cdef bint tuning = False  # of plans that are not told
cdef bint checking_nonfinite = True  # likewise


cdef int interrupted(void *context) noexcept with gil:
    """Asked by the main thread's run: has Ctrl-C been pressed? The exception itself is kept for the caller of run()."""
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        (<Plan>context).pending = error
        return 1
    return 0


def empty_aligned(tuple shape, dtype=float32):
    """An array, not filled. If it is large, it begins at a cache line, so that no vector lies in two; NumPy's own begin anywhere."""
    cdef int64_t count = 1, bytes = dtype.itemsize
    cdef Py_buffer view
    for size in shape:
        count *= size
    if count < 1024:
        return empty(shape, dtype)
    array = empty(count + 63 // bytes, dtype)
    PyObject_GetBuffer(array, &view, PyBUF_C_CONTIGUOUS)
    cdef int64_t skip = <int64_t>(-<uintptr_t>view.buf % 64 // bytes)
    PyBuffer_Release(&view)
    return array[skip:skip + count].reshape(shape)


cdef class Plan:
    cdef cconv_plan *handle
    cdef Graph graph
    cdef Optimizer optimizer
    cdef tuple outputs
    cdef list input_shapes, output_types
    cdef int n_inputs, n_hidden
    cdef bint running
    cdef object known_shapes  # of the outputs: (samples, shapes) of the last run
    cdef readonly int64_t max_batch
    cdef int64_t n  # samples of the last run
    cdef int root
    cdef object pending
    cdef object __weakref__

    def __cinit__(self, Graph graph not None, outputs, *, int64_t max_batch=1, input_shapes=None, bint training=False, int root=0,
                  wrt=(), Optimizer optimizer=None, threads=0, bint rewrite=True,
                  tune=None, nonfinite_check=None, bint keep_gradients=False, bint no_update=False, precision="float32", int hidden=0):
        cdef Memory output_nodes = ints(outputs), wrt_nodes = ints(wrt)
        cdef int n = len(graph.input_shapes), i
        cdef Memory sizes = Memory(n * 8 * sizeof(int64_t)), pointers = Memory(n * sizeof(void *))
        cdef cconv_plan_options options
        memset(&options, 0, sizeof(options))
        shapes = graph.input_shapes if input_shapes is None else [tuple(shape) for shape in input_shapes]
        if len(shapes) != n:
            raise ValueError(f"expected the shapes of {n} inputs, received {len(shapes)}")
        for i in range(n):
            if len(shapes[i]) != len(graph.input_shapes[i]):
                raise ValueError(f"input '{graph.input_names[i]}': expected shape {graph.input_shapes[i]}, received {shapes[i]}")
            (<int64_t **>pointers.at)[i] = <int64_t *>sizes.at + 8 * i
            read_sizes(shapes[i], <int64_t *>sizes.at + 8 * i)
        options.max_batch = max_batch
        options.input_shapes = <const int64_t **>pointers.at
        options.n_outputs = len(outputs)
        options.outputs = <int *>output_nodes.at
        options.training = training
        options.root = root
        options.n_wrt = len(wrt)
        options.wrt = <int *>wrt_nodes.at
        options.optimizer = NULL if optimizer is None else optimizer.handle
        options.threads = thread_count(threads)
        options.no_rewrite = not rewrite
        options.tune = tuning if tune is None else bool(tune)
        options.no_nonfinite_check = not (checking_nonfinite if nonfinite_check is None else nonfinite_check)
        options.keep_gradients = keep_gradients
        options.no_update = no_update
        options.precision = type_number(precision)
        self.graph = graph
        self.optimizer = optimizer
        self.outputs = tuple(outputs)
        self.n_hidden = hidden  # so many outputs, at the end, are computed in each run and not returned
        self.n_inputs = n
        self.max_batch = self.n = max_batch
        self.root = root
        self.input_shapes = [
            tuple([None if k == 0 and graph.input_shapes[i][0] is None else shapes[i][k] for k in range(len(shapes[i]))])
            for i in range(n)]
        with nogil:
            self.handle = cconv_plan_new(graph.handle, &options)
        if self.handle == NULL:
            raise failure()
        self.output_types = [type_arrays[<int>cconv_graph_dtype(graph.handle, node)] for node in outputs]

    def __dealloc__(self):
        cconv_plan_free(self.handle)

    def run(self, inputs, *, n=None, rows=None, outputs=None, root_gradient=None, uint64_t seed=0, uint64_t step=0):
        cdef int n_inputs = self.n_inputs, n_all = len(self.outputs), n_outputs = n_all - self.n_hidden, i
        cdef cconv_array few_arrays[FEW]
        cdef cconv_output few_results[FEW]
        cdef cconv_array *arrays = few_arrays
        cdef cconv_output *results = few_results
        cdef Memory more_arrays, more_results
        cdef cconv_batch batch
        cdef cconv_status status
        cdef View view
        memset(&batch, 0, sizeof(batch))
        if len(inputs) != n_inputs:
            raise ValueError(f"expected {n_inputs} inputs, received {len(inputs)}")
        if n_inputs > FEW:
            more_arrays = Memory(n_inputs * sizeof(cconv_array))
            arrays = <cconv_array *>more_arrays.at
        if n_all > FEW:
            more_results = Memory(n_all * sizeof(cconv_output))
            results = <cconv_output *>more_results.at
        for i in range(n_outputs, n_all):
            results[i].data = NULL
        held = []  # their memory stays put until the run is over
        for i in range(n_inputs):
            held.append(self.read_input(i, inputs[i], &arrays[i]))
        if rows is not None:
            view = View(rows, False, "rows", None)
            held.append(view)
            if view.dtype != CCONV_INT64 or view.buffer.ndim != 1:
                raise ValueError(f"expected rows as one axis of int64, received shape {view.shape} and format '{view.code}'")
            batch.rows = <const int64_t *>view.buffer.buf
            batch.n = view.buffer.shape[0]
        elif n is None:
            batch.n = min([len(array) for shape, array in zip(self.input_shapes, inputs) if shape and shape[0] is None], default=1)
        if n is not None:
            if rows is not None and n > batch.n:
                raise ValueError(f"expected at least {n} rows, received {batch.n}")
            batch.n = n
        if not 1 <= batch.n <= self.max_batch:
            raise ValueError(f"expected 1 to {self.max_batch} samples, received {batch.n}")
        filled = []
        if outputs is not None and len(outputs) != n_outputs:
            raise ValueError(f"expected {n_outputs} outputs, received {len(outputs)}")
        shapes = self.output_shapes(batch.n)
        for i in range(n_outputs):
            array = None if outputs is None else outputs[i]
            if array is None:
                dtype = self.output_types[i]
                array = empty_aligned(shapes[i], dtype)
            view = View(array, True, "output", i)
            held.append(view)
            if view.dtype < 0 or not view.fits(shapes[i]):
                raise ValueError(f"output {i}: expected an array of {self.output_types[i]} and shape {shapes[i]}, "
                                 f"received format '{view.code}' and shape {view.shape}")
            results[i].data = view.buffer.buf
            results[i].dtype = <cconv_dtype>view.dtype
            filled.append(array)
        if root_gradient is not None:
            view = View(root_gradient, False, "root_gradient", None)
            held.append(view)
            shape = self.shape(self.root, batch.n)
            if view.dtype != CCONV_FLOAT32 or not view.fits(shape):
                raise ValueError(f"expected root_gradient as a float32 array of shape {shape}, received shape {view.shape}")
            batch.root_gradient = <const float *>view.buffer.buf
        batch.inputs = arrays
        batch.outputs = results
        batch.seed = seed
        batch.step = step
        if current_thread() is main_thread():
            batch.interrupted = interrupted
            batch.context = <void *>self
        if self.running:
            raise RuntimeError("this plan is running: a signal handler, or another thread without a lock, cannot run it at the same time")
        self.running = True
        with nogil:
            status = cconv_plan_run(self.handle, &batch)
        self.running = False
        if status == CCONV_INTERRUPTED and self.pending is not None:
            error, self.pending = self.pending, None
            raise error
        check(status)
        self.n = batch.n
        return filled

    cdef View read_input(self, int i, array, cconv_array *into):
        cdef View view = View(array, False, "input", self.graph.input_names[i])
        wanted = self.input_shapes[i]
        if not view.fits(wanted):
            raise ValueError(f"input '{self.graph.input_names[i]}': expected an array of shape {wanted}, received shape {view.shape}")
        if view.dtype < 0:
            raise TypeError(f"input '{self.graph.input_names[i]}': expected an array of {', '.join(type_names)}, "
                            f"received format '{view.code}'")
        into.data = view.buffer.buf
        into.dtype = <cconv_dtype>view.dtype
        into.count = view.buffer.shape[0] if view.buffer.ndim else 1
        return view

    cdef list output_shapes(self, int64_t n):
        known = self.known_shapes  # read and written in one go: runs of other threads may come between
        if known is not None and known[0] == n:
            return known[1]
        shapes = [self.shape(node, n) for node in self.outputs]
        self.known_shapes = (n, shapes)
        return shapes

    def gradient(self, int node):
        cdef const float *values = cconv_plan_gradient(self.handle, node)
        if values == NULL:
            raise ValueError(f"expected a node whose gradient was asked for (wrt) and, "
                             f"with an optimizer, is kept (keep_gradients), received {node}")
        array = empty_aligned(self.shape(node, self.n))
        cdef Py_buffer view
        PyObject_GetBuffer(array, &view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        memcpy(view.buf, values, view.len)
        PyBuffer_Release(&view)
        return array

    def shape(self, int node, int64_t n):
        cdef int64_t sizes[8]
        cdef int rank
        check(cconv_plan_shape(self.handle, node, n, &rank, sizes))
        return shape_of(rank, sizes)

    @property
    def bytes(self):
        return cconv_plan_bytes(self.handle)

    def profile(self, bint on=True):
        check(cconv_plan_profile(self.handle, on))

    def describe(self):
        cdef size_t size = cconv_plan_describe(self.handle, NULL, 0) + 1
        cdef Memory text = Memory(size)
        cconv_plan_describe(self.handle, <char *>text.at, size)
        return (<char *>text.at).decode("utf-8", "replace")


cdef class View:
    """One array's memory, held until the view is dropped. `what` and `which` are what errors call it."""
    cdef Py_buffer buffer
    cdef int dtype  # a cconv_dtype, or -1

    def __cinit__(self, array, bint writable, what, which):
        cdef int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0)
        try:
            PyObject_GetBuffer(array, &self.buffer, flags)
        except (TypeError, ValueError, BufferError) as error:
            if getattr(getattr(array, "dtype", None), "name", None) == "bfloat16":  # the buffer protocol has no letter for it
                PyObject_GetBuffer(array.view(np.uint16), &self.buffer, flags)
                self.dtype = CCONV_BFLOAT16
                return
            kind = f"{type(array).__name__} of {array.dtype}" if hasattr(array, "dtype") else type(array).__name__
            name = what if which is None else f"{what} {which!r}" if isinstance(which, int) else f"{what} '{which}'"
            raise TypeError(f"{name}: expected a C-contiguous array of numbers, received {kind} ({error})") from None
        cdef const char *format = self.buffer.format
        if format == NULL:
            self.dtype = CCONV_UINT8
        elif format[0] == c"f" and format[1] == 0:
            self.dtype = CCONV_FLOAT32
        else:
            self.dtype = type_letters.get(self.code, -1)

    def __dealloc__(self):
        PyBuffer_Release(&self.buffer)

    @property
    def code(self):
        return (<bytes>self.buffer.format).decode() if self.buffer.format != NULL else "B"

    @property
    def shape(self):
        return tuple([self.buffer.shape[i] for i in range(self.buffer.ndim)])

    cdef bint fits(self, tuple shape):
        """Whether it has this shape; None fits every size."""
        cdef int k
        if self.buffer.ndim != len(shape):
            return False
        for k in range(self.buffer.ndim):
            size = shape[k]
            if size is not None and <int64_t>size != self.buffer.shape[k]:
                return False
        return True


# ---- The library and the machine -------------------------------------------------------------------------------------

def version():
    return cconv_version().decode()


def isa():
    return cconv_isa().decode()


def isa_error():
    return None if cconv_isa_error() == NULL else cconv_isa_error().decode()


def isas():
    return tuple(cconv_isas().decode().split())


def openmp():
    return cconv_openmp()


cdef extern from *:
    """
    #if defined(__clang__)
    #define CC_COMPILER "Clang " __clang_version__
    #elif defined(__GNUC__)
    #define CC_COMPILER "GCC " __VERSION__
    #elif defined(_MSC_VER)
    #define CC_COMPILER "Microsoft C"
    #else
    #define CC_COMPILER "unknown"
    #endif
    """
    const char *CC_COMPILER


def compiler():
    return CC_COMPILER.decode("utf-8", "replace")


def get_num_threads():
    """How many threads a new plan uses. Unless told otherwise: `OMP_NUM_THREADS`, else the smaller of the CPU affinity
    and the container's quota."""
    return cconv_num_threads()


cdef int thread_count(threads) except -1:
    """A number of threads that fits a C int; what of these is allowed, the core says."""
    number = operator.index(threads)
    if not 0 <= number < 2**31:
        raise ValueError(f"expected threads from 0 (the default) to 1024, received {threads}")
    return number


def set_num_threads(threads):
    """Sets how many threads new plans use; 0 returns to the default. Results do not depend on it.

    Raises:
        ValueError: the number is negative, or more than 1024.
        TypeError: it is no integer.
    """
    check(cconv_set_num_threads(thread_count(threads)))


def winograd():
    return cconv_winograd() != 0


def set_winograd(bint allowed):
    cconv_set_winograd(allowed)


def tunes():
    return tuning


def set_tuning(bint on):
    global tuning
    tuning = on


def checks_nonfinite():
    return checking_nonfinite


def set_nonfinite_check(bint on):
    global checking_nonfinite
    checking_nonfinite = on


def num_threads_reason():
    return cconv_num_threads_reason().decode()


def allocations():
    return cconv_allocations()


def shared_bytes():
    return cconv_shared_bytes()
