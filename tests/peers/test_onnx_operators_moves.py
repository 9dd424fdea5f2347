"""Operators of ONNX that move or reduce elements, in forms that the conformance cases do not have."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from .onnx_nodes import array, case, check, count, floats, model_of, named, whole  # noqa: E402

MOST, LEAST = 2**63 - 1, -(2**63)


def slices(x, starts, ends, axes, steps):
    return case("Slice", x, whole(*starts), whole(*ends), whole(*axes), whole(*steps), known=[1, 2, 3, 4], opset=13)


def pads(x, amounts, mode="constant", fill=None, axes=None, opset=19):
    inputs = [x, whole(*amounts), fill, None if axes is None else whole(*axes)]
    while inputs[-1] is None:
        inputs.pop()
    return case(
        "Pad", *inputs, known=[i for i in range(1, len(inputs)) if inputs[i] is not None], opset=opset, mode=mode
    )


@pytest.mark.parametrize("start, end", [(0, -1), (-3, -1), (1, MOST), (-2, MOST), (0, 3), (2, 4), (1, -2)])
def test_slices_along_an_axis_whose_size_is_open(start, end):
    from cconv import _core

    x = floats(7, 3)
    model = model_of(*case("Slice", x, whole(start), whole(end), known=[1, 2]))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "n"
    graph = _core.load_onnx(model.SerializeToString())
    plan = _core.Plan(graph, [node for _, node in graph.outputs()], max_batch=7)
    np.testing.assert_array_equal(plan.run([x])[0], x[start:end])


@named(
    [
        case("Concat", array([[1], [2]], "int64"), array([[3, 4], [5, 6]], "int64"), axis=-1),
        case("Concat", floats(0, 2), floats(1, 2), axis=0),
        case("Split", floats(6, 2), opset=11, outputs=3),
        case("Split", floats(2, 6), opset=11, outputs=2, axis=1, split=[2, 4]),
        case("Split", floats(7), opset=18, outputs=3, num_outputs=3),
        case("Split", floats(2, 6), whole(1, 5), known=[1], outputs=2, axis=-1),
        case("Slice", floats(5, 6), opset=9, starts=[1, -3], ends=[MOST, -1]),
        case("Slice", floats(5, 6), opset=9, starts=[1], ends=[9], axes=[1]),
        slices(count(5, 6), [0, MOST], [MOST, LEAST], [0, 1], [2, -1]),
        slices(count(5, 6), [-1, 4], [-9, 0], [1, 0], [-2, -3]),
        slices(count(5, 6, dtype="int64"), [1, 3], [5, 1], [-2, -1], [3, 1]),
        slices(count(7), [-100], [100], [0], [5]),
        slices(array([True, False, True]), [2], [LEAST], [0], [-1]),
        case("Slice", floats(5, 6), array([1], "int32"), array([4], "int32"), known=[1, 2]),
        case("Transpose", floats(2, 3, 4)),
        case("Transpose", count(2, 3, 4, dtype="int64"), perm=[1, 0, 2]),
        case("Pad", floats(2, 3), opset=10, pads=[1, 0, 0, 2], value=1.5),
        case("Pad", floats(2, 3), opset=10, pads=[1, 2, 1, 2], mode="reflect"),
        pads(floats(3, 4), [1, -1, 0, 2]),
        pads(floats(3, 4), [-1, -1, -1, -2]),
        pads(floats(3, 4), [1, 2, 2, 3], "reflect"),
        pads(floats(3, 4), [1, 2, 4, 9], "edge"),
        pads(floats(3, 4), [1, 2, 2, 3], "wrap"),
        pads(floats(3, 4), [1, -1, 2, 1], "edge"),
        pads(floats(3, 4), [1, 2, 0, 1], fill=array(-3.25)),
        pads(floats(3, 4), [2, 1], fill=array(7.0), axes=[-1]),
        pads(count(3, 4, dtype="int32"), [1, 0, 0, 1], fill=array(-9, "int32")),
        pads(count(3, 4, dtype="int64"), [1, 0, 0, 1], "edge"),
        pads(array([True, False]), [1, 1], fill=array(True)),
        pads(floats(3), [1, 1], fill=array(-np.inf)),
        case("DepthToSpace", floats(2, 8, 2, 3), blocksize=2),
        case("DepthToSpace", floats(2, 8, 2, 3), blocksize=2, mode="CRD"),
        case("SpaceToDepth", floats(2, 2, 4, 6), blocksize=2),
        case("ReverseSequence", floats(4, 3, 2), whole(1, 4, 2)),
        case("ReverseSequence", count(3, 4, dtype="int64"), whole(1, 4, 2), batch_axis=0, time_axis=1),
        case("CenterCropPad", floats(5, 4), whole(2, 7), known=[1], opset=18),
        case("CenterCropPad", floats(5, 4, 3), whole(2, 8), known=[1], opset=18, axes=[-1, 1]),
        case("Compress", floats(3, 4), array([False, True, True]), known=[1], axis=0),
        case("Compress", floats(3, 4), array([False, True, True, False, False, True]), known=[1]),
    ]
)
def test_moves(one):
    check(*one)


pairs = array([[0, 1], [1, -1], [-2, 2]], "int64")


@named(
    [
        case("Gather", floats(4, 3), array([[0, -1], [2, 1]], "int64")),
        case("Gather", floats(4, 3), array(-2, "int64"), axis=1),
        case("Gather", count(4, 3, dtype="int64"), array([1, 0], "int32"), axis=-1),
        case("Gather", array([True, False]), array([1, 0, 1], "int32")),
        case("GatherElements", floats(4, 3), array([[0, -1], [2, 1]], "int64"), axis=0),
        case("GatherElements", floats(4, 3), array([[0, -1], [2, 1]], "int64"), axis=1),
        case("GatherND", floats(2, 3, 4), pairs),
        case("GatherND", floats(2, 3), pairs),
        case("GatherND", floats(2, 3, 4), array([[[-1]], [[0]]], "int64"), batch_dims=1),
        case("GatherND", floats(2, 3, 4, 2), array([[[-1, 2]], [[0, 1]]], "int64"), batch_dims=1),
        case(
            "GatherND", count(2, 3, 4, dtype="int64"), array([[[1], [2], [-1]], [[0], [0], [3]]], "int64"), batch_dims=2
        ),
        *(
            case("ScatterND", floats(2, 3, 4), pairs, floats(3, 4), opset=18, reduction=r)
            for r in ("none", "add", "mul", "max", "min")
        ),
        case("ScatterND", floats(5), array([[1], [-1], [1]], "int64"), floats(3), opset=18, reduction="add"),
        case("ScatterND", count(2, 3, dtype="int64"), pairs, array([7, 8, 9], "int64"), opset=16),
        case("ScatterND", array([True, False]), array([[1]], "int64"), array([True]), opset=16),
        *(
            case(
                "ScatterElements",
                floats(4, 3),
                array([[0, 1], [2, -1]], "int64"),
                floats(2, 2),
                opset=18,
                axis=a,
                reduction=r,
            )
            for a in (0, -1)
            for r in ("none", "add", "mul", "max", "min")
        ),
        case(
            "ScatterElements",
            count(2, 3, 2, dtype="int32"),
            array([[[2]], [[0]]], "int64"),
            array([[[9]], [[8]]], "int32"),
            axis=1,
        ),
        case("Scatter", floats(4, 3), array([[0, 1, 2], [3, 2, 1]], "int64"), floats(2, 3), opset=9),
    ]
)
def test_gathers(one):
    check(*one)


reductions = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"]


def reduces(op, x, axes, opset, keep=1, noop=0):
    if opset < (13 if op == "Sum" else 18):
        return case(f"Reduce{op}", x, opset=opset, keepdims=keep, **({} if axes is None else {"axes": axes}))
    inputs = [x] if axes is None else [x, whole(*axes)]
    return case(
        f"Reduce{op}", *inputs, known=[1][: len(inputs) - 1], opset=opset, keepdims=keep, noop_with_empty_axes=noop
    )


@named(
    [
        *(
            reduces(op, np.abs(floats(2, 3, 4)), [1, -1], opset, keep)
            for op in reductions
            for opset in (11, 18)
            for keep in (0, 1)
        ),
        *(reduces(op, np.abs(floats(2, 3)), None, opset) for op in reductions for opset in (11, 18)),
        *(reduces(op, array([-9, 4, 3, -3], "int32").reshape(2, 2), [0], 18) for op in reductions if "Log" not in op),
        reduces("Sum", floats(2, 3), None, 13, noop=1),
        reduces("Mean", floats(2, 3), [], 18, noop=1),
        reduces("LogSumExp", array([[1e3, 1e3], [-np.inf, -np.inf], [np.inf, 1]]), [1], 18),
        reduces("Max", array([[1, 200], [3, 4]], "uint8"), [1], 18),
        reduces("Min", array([[True, False], [True, True]]), [1], 20),
        *(
            reduces(op, floats(2, 0, 3), [1], 18)
            for op in ("Sum", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp")
        ),
        *(
            case(op, array([[1, 5, 5, 0], [7, 7, 1, 0]]), axis=a, keepdims=k, select_last_index=s)
            for op in ("ArgMax", "ArgMin")
            for a in (0, -1)
            for k in (0, 1)
            for s in (0, 1)
        ),
        case("ArgMax", count(2, 3, dtype="int32"), opset=11),
        *(
            case("CumSum", floats(3, 4), array(a, "int32"), known=[1], exclusive=e, reverse=r)
            for a in (0, -1)
            for e in (0, 1)
            for r in (0, 1)
        ),
        case("CumSum", count(5, dtype="int64"), array(0, "int64"), known=[1], exclusive=1),
        case("TopK", floats(3, 6), opset=9, outputs=2, k=2),
        *(
            case("TopK", array([[3, 1, 3, 2], [0, 0, 5, 5]]), whole(3), known=[1], outputs=2, largest=large)
            for large in (0, 1)
        ),
        case("TopK", floats(5, 3, 2), whole(2), known=[1], outputs=2, axis=0),
        case("TopK", count(6, dtype="int64"), whole(2), known=[1], outputs=2, largest=0),
    ]
)
def test_reductions(one):
    check(*one)
