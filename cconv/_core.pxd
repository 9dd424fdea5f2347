# src_c/include/cconv.h as Cython sees it.
from libc.stdint cimport int32_t, int64_t, uint64_t

cdef extern from "cconv.h" nogil:
    int CCONV_MAX_RANK

    ctypedef enum cconv_status:
        CCONV_OK
        CCONV_INVALID
        CCONV_NO_MEMORY
        CCONV_UNSUPPORTED
        CCONV_BUSY
        CCONV_INTERRUPTED
        CCONV_IO

    const char *cconv_last_error()
    cconv_status cconv_last_status()

    const char *cconv_version()
    const char *cconv_isa()
    const char *cconv_isa_error()
    const char *cconv_isas()
    int cconv_openmp()
    int cconv_num_threads()
    cconv_status cconv_set_num_threads(int threads)
    const char *cconv_num_threads_reason()
    int cconv_winograd()
    void cconv_set_winograd(int allowed)
    uint64_t cconv_allocations()
    size_t cconv_shared_bytes()

    ctypedef enum cconv_dtype:
        CCONV_FLOAT32
        CCONV_FLOAT64
        CCONV_UINT8
        CCONV_INT32
        CCONV_INT64
        CCONV_INT8
        CCONV_FLOAT16
        CCONV_BFLOAT16
        CCONV_BOOL
    const char *cconv_dtype_name(cconv_dtype dtype)
    size_t cconv_dtype_bytes(cconv_dtype dtype)

    ctypedef struct cconv_variable:
        pass
    cconv_variable *cconv_variable_new(int rank, const int64_t *shape)
    cconv_variable *cconv_variable_retain(cconv_variable *variable)
    void cconv_variable_free(cconv_variable *variable)
    float *cconv_variable_data(cconv_variable *variable)
    void cconv_variable_touch(cconv_variable *variable)
    int cconv_variable_shape(const cconv_variable *variable, int64_t *shape)
    size_t cconv_variable_count(const cconv_variable *variable)

    ctypedef struct cconv_attribute:
        const char *name
        const char *type
        const char *default_value
        const char *choices
        const char *meaning
    int cconv_op_count()
    const char *cconv_op_name(int i)
    const char *cconv_op_inputs(const char *op)
    ctypedef struct cconv_op_facts:
        int differentiable
        int random
        int elementwise
        int per_sample
        int weights
        int bias
        int residual
    cconv_status cconv_op_info(const char *op, cconv_op_facts *facts)
    const char *cconv_op_types(const char *op)
    const char *cconv_op_meaning(const char *op)
    cconv_status cconv_op_attribute(const char *op, int i, cconv_attribute *attribute)
    cconv_status cconv_infer(const char *op, const char *name, int n_inputs, const cconv_dtype *dtypes, const int *ranks,
                             const int64_t **shapes, const char *attributes, cconv_dtype *dtype, int *rank, int64_t *shape)

    ctypedef struct cconv_graph:
        pass
    cconv_graph *cconv_graph_new()
    void cconv_graph_free(cconv_graph *graph)
    int cconv_graph_input(cconv_graph *graph, const char *name, cconv_dtype dtype, int rank, const int64_t *shape)
    int cconv_graph_variable(cconv_graph *graph, const char *name, cconv_variable *variable)
    int cconv_graph_constant(cconv_graph *graph, const char *name, cconv_dtype dtype, int rank, const int64_t *shape,
                             const void *values)
    int cconv_graph_add(cconv_graph *graph, const char *op, const char *name, int n_inputs, const int *inputs,
                        const char *attributes)
    cconv_status cconv_graph_output(cconv_graph *graph, const char *name, int node)
    int cconv_graph_output_count(const cconv_graph *graph)
    int cconv_graph_output_node(const cconv_graph *graph, int i)
    const char *cconv_graph_output_name(const cconv_graph *graph, int i)
    ctypedef struct cconv_onnx_save_options:
        int channels_last
    cconv_status cconv_save_onnx(const cconv_graph *graph, const char *path, const cconv_onnx_save_options *options)
    int cconv_graph_count(const cconv_graph *graph)
    ctypedef enum cconv_kind:
        CCONV_INPUT
        CCONV_VARIABLE
        CCONV_CONSTANT
        CCONV_OP
    ctypedef struct cconv_node:
        cconv_kind kind
        const char *name
        const char *op
        int n_inputs
        const int *inputs
        cconv_dtype dtype
        int rank
        const int64_t *shape
        cconv_variable *variable
        const void *values
    cconv_status cconv_graph_node(const cconv_graph *graph, int node, cconv_node *out)
    size_t cconv_graph_attributes(const cconv_graph *graph, int node, char *text, size_t size)
    size_t cconv_graph_describe(const cconv_graph *graph, char *text, size_t size)
    int cconv_graph_per_sample(const cconv_graph *graph, int n_outputs, const int *outputs)
    cconv_dtype cconv_graph_dtype(const cconv_graph *graph, int node)
    cconv_status cconv_graph_shape(const cconv_graph *graph, int node, int *rank, int64_t *shape)

    ctypedef struct cconv_optimizer:
        pass
    cconv_optimizer *cconv_optimizer_new(const char *kind, const char *attributes)
    void cconv_optimizer_free(cconv_optimizer *optimizer)
    int cconv_optimizer_count()
    const char *cconv_optimizer_name(int i)
    cconv_status cconv_optimizer_attribute(const char *kind, int i, cconv_attribute *attribute)
    cconv_status cconv_optimizer_set(cconv_optimizer *optimizer, const char *attributes)
    int64_t cconv_optimizer_iterations(const cconv_optimizer *optimizer)
    void cconv_optimizer_set_iterations(cconv_optimizer *optimizer, int64_t iterations)
    cconv_variable *cconv_optimizer_slot(cconv_optimizer *optimizer, cconv_variable *variable, int i)
    const char *cconv_optimizer_slot_name(const cconv_optimizer *optimizer, int i)
    cconv_status cconv_optimizer_exclude_from_weight_decay(cconv_optimizer *optimizer, cconv_variable *variable)
    cconv_status cconv_optimizer_delegate(cconv_optimizer *optimizer, cconv_variable *variable, cconv_optimizer *to)

    ctypedef struct cconv_plan:
        pass
    ctypedef struct cconv_plan_options:
        int64_t max_batch
        const int64_t **input_shapes
        int n_outputs
        const int *outputs
        int training
        int root
        int n_wrt
        const int *wrt
        cconv_optimizer *optimizer
        int threads
        int no_rewrite
        int tune
        int no_nonfinite_check
        int keep_gradients
        int no_update
        cconv_dtype precision
    ctypedef struct cconv_input_shape:
        const char *name
        int rank
        int64_t shape[8]

    ctypedef struct cconv_onnx_options:
        int n_shapes
        const cconv_input_shape *shapes
        const cconv_graph *parameters_of
        int frozen

    cconv_graph *cconv_load_onnx(const char *path, const cconv_onnx_options *options) nogil
    cconv_graph *cconv_load_onnx_memory(const void *bytes, size_t size, const cconv_onnx_options *options) nogil

    cconv_plan *cconv_plan_new(cconv_graph *graph, const cconv_plan_options *options)
    void cconv_plan_free(cconv_plan *plan)

    ctypedef struct cconv_array:
        const void *data
        cconv_dtype dtype
        int64_t count
    ctypedef struct cconv_output:
        void *data
        cconv_dtype dtype
    ctypedef struct cconv_batch:
        int64_t n
        const int64_t *rows
        const cconv_array *inputs
        const cconv_output *outputs
        const float *root_gradient
        uint64_t seed
        uint64_t step
        int (*interrupted)(void *) noexcept nogil
        void *context
    cconv_status cconv_plan_run(cconv_plan *plan, const cconv_batch *batch)
    const float *cconv_plan_gradient(const cconv_plan *plan, int node)
    cconv_status cconv_plan_shape(cconv_plan *plan, int node, int64_t n, int *rank, int64_t *shape)
    size_t cconv_plan_bytes(const cconv_plan *plan)
    cconv_status cconv_plan_profile(cconv_plan *plan, int on)
    size_t cconv_plan_describe(const cconv_plan *plan, char *text, size_t size)
