// The library from C++: who owns what is said once, in a few lines, and errors are exceptions. A network learns y = max(x0, x1).
//
//     c++ -std=c++11 -Isrc_c/include examples/c/raii.cpp build/lib/libcconv.a $(cat build/lib/link_flags) -o raii
#include "cconv.h"
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <vector>

namespace nn
{
struct Free {
    void operator()(cconv_graph *g) const { cconv_graph_free(g); }
    void operator()(cconv_variable *v) const { cconv_variable_free(v); }
    void operator()(cconv_optimizer *o) const { cconv_optimizer_free(o); }
    void operator()(cconv_plan *p) const { cconv_plan_free(p); }
};
template <class T> using Owned = std::unique_ptr<T, Free>; // freed in the reverse order of their declaration: plans first

inline void check(cconv_status status)
{
    if (status != CCONV_OK) throw std::runtime_error(cconv_last_error());
}
template <class T> Owned<T> own(T *made) // of a call that returns NULL where it fails
{
    if (!made) throw std::runtime_error(cconv_last_error());
    return Owned<T>(made);
}
inline int add(cconv_graph *g, const char *op, std::initializer_list<int> inputs, const char *attributes = nullptr)
{
    return cconv_graph_add(g, op, nullptr, static_cast<int>(inputs.size()), inputs.begin(), attributes);
}
inline int variable(cconv_graph *g, const char *name, std::vector<int64_t> shape, float scale)
{
    Owned<cconv_variable> v = own(cconv_variable_new(static_cast<int>(shape.size()), shape.data()));
    std::vector<float> values(cconv_variable_count(v.get()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale * (static_cast<float>(i * 7 % 11) / 5 - 1);
    check(cconv_variable_set(v.get(), values.data(), values.size()));
    return cconv_graph_variable(g, name, v.get()); // the graph keeps it
}
} // namespace nn

int main()
try {
    if (!CCONV_ABI_FITS()) throw std::runtime_error("the shared library is of another version than cconv.h");
    const int64_t pairs[] = {-1, 2}, numbers[] = {-1, 1};
    nn::Owned<cconv_graph> graph = nn::own(cconv_graph_new());
    cconv_graph *g = graph.get();
    const int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 2, pairs), y = cconv_graph_input(g, "y", CCONV_FLOAT32, 2, numbers);
    const int h = nn::add(g, "dense", {x, nn::variable(g, "w1", {2, 16}, 1), nn::variable(g, "b1", {16}, 0)}, "activation=relu");
    const int p = nn::add(g, "dense", {h, nn::variable(g, "w2", {16, 1}, 0.3f), nn::variable(g, "b2", {1}, 0)});
    const int loss = nn::add(g, "mean", {nn::add(g, "mean_squared_error", {y, p})});

    nn::Owned<cconv_optimizer> adam = nn::own(cconv_optimizer_new("adam", "learning_rate=0.01"));
    std::vector<int> trained(static_cast<std::size_t>(cconv_graph_parameters(g, 1, nullptr, 0)));
    cconv_graph_parameters(g, 1, trained.data(), static_cast<int>(trained.size()));
    cconv_plan_options options = {}; // all that is not set is 0: the default
    options.max_batch = 64;
    options.n_outputs = 1;
    options.outputs = &loss;
    options.training = 1;
    options.root = loss;
    options.n_wrt = static_cast<int>(trained.size());
    options.wrt = trained.data();
    options.optimizer = adam.get();
    nn::Owned<cconv_plan> plan = nn::own(cconv_plan_new(g, &options));

    std::vector<float> xs, ys;
    for (int i = 0; i < 64; ++i) {
        const float a = static_cast<float>(i % 8) / 4 - 1, b = static_cast<float>(i / 8) / 4 - 1;
        xs.insert(xs.end(), {a, b});
        ys.push_back(a > b ? a : b);
    }
    float value = 0;
    const cconv_array inputs[] = {{xs.data(), CCONV_FLOAT32, 64}, {ys.data(), CCONV_FLOAT32, 64}};
    const cconv_output output = {&value, CCONV_FLOAT32};
    cconv_batch batch = {};
    batch.n = 64;
    batch.inputs = inputs;
    batch.outputs = &output;
    for (; batch.step < 1000; ++batch.step) nn::check(cconv_plan_run(plan.get(), &batch));
    std::printf("loss %g after %d steps\n", static_cast<double>(value), static_cast<int>(batch.step));
    return value < 1e-3f ? 0 : 1;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
