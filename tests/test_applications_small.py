"""SqueezeNet, ShuffleNet, ShuffleNetV2, GhostNet, MixNet: layers, sizes, arguments. Their peers are in tests/peers."""

import functools

import network_checks as checks
import numpy as np
import pytest

from cconv import applications
from cconv.applications import GhostNet, MixNetL, MixNetS, ShuffleNet, ShuffleNetV2, SqueezeNet

SMALL = {
    "squeezenet": (functools.partial(SqueezeNet, version="1.1"), 512),
    "shufflenet": (functools.partial(ShuffleNet, alpha=0.5), 480),
    "shufflenet of 8 groups": (functools.partial(ShuffleNet, alpha=0.5, groups=8), 768),
    "shufflenet_v2": (functools.partial(ShuffleNetV2, alpha=0.5), 1024),
    "ghostnet": (functools.partial(GhostNet, alpha=0.5), 480),
    "mixnet": (MixNetS, 1536),
}
NETWORKS = pytest.mark.parametrize("network", SMALL)


def trainable(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize(
    "network, settings, count",
    [
        (SqueezeNet, {}, 1_248_424),
        (SqueezeNet, {"version": "1.1"}, 1_235_496),
        (ShuffleNet, {"alpha": 0.5}, 717_324),
        (ShuffleNet, {}, 1_864_728),
        (ShuffleNet, {"alpha": 1.5}, 3_441_168),
        (ShuffleNet, {"alpha": 2.0}, 5_449_776),
        (ShuffleNet, {"alpha": 0.5, "groups": 8}, 1_010_448),
        (ShuffleNet, {"groups": 8}, 2_433_768),
        (ShuffleNet, {"alpha": 2.0, "groups": 8}, 6_521_232),
        (ShuffleNetV2, {"alpha": 0.5}, 1_366_792),
        (ShuffleNetV2, {}, 2_278_604),
        (ShuffleNetV2, {"alpha": 1.5}, 3_503_624),
        (ShuffleNetV2, {"alpha": 2.0}, 7_393_996),
        (GhostNet, {"alpha": 0.5}, 2_587_292),
        (GhostNet, {}, 5_182_508),
        (GhostNet, {"alpha": 1.3}, 7_358_820),
        (MixNetS, {}, 4_134_606),
        (applications.MixNetM, {}, 5_014_382),
        (MixNetL, {}, 7_329_252),
    ],
)
def test_counts(network, settings, count):
    model = network(**settings)
    assert trainable(model) == count
    assert (model.input_shape, model.output_shape) == ((None, 224, 224, 3), (None, 1000))


@NETWORKS
def test_sizes(network):
    network, channels = SMALL[network]
    whole = network is not SMALL["squeezenet"][0]  # which has fewer halvings
    checks.check_sizes(network, {32: 1, 64: 2, 90: 3} if whole else {32: 1, 64: 3, 90: 5}, channels)


@NETWORKS
def test_training(network):
    network, _ = SMALL[network]
    brightest = 2.0 if network is SMALL["squeezenet"][0] else 1.0
    checks.check_training(network, brightest=brightest, input_shape=(48, 48, 3))


@NETWORKS
def test_files(network, tmp_path):
    checks.check_files(SMALL[network][0], tmp_path, input_shape=(32, 40, 3), classes=3)


@NETWORKS
def test_channels_first(network):
    network, _ = SMALL[network]
    checks.check_channels_first(network, (33, 40, 3), classes=3, classifier_activation=None)
    checks.check_channels_first(network, (33, 40, 3), include_top=False)


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("alpha", [0.5, 1.0, 1.5, 2.0])
def test_channels_of_shufflenet_are_divided_by_its_groups(groups, alpha):
    model = ShuffleNet(input_shape=(32, 32, 3), alpha=alpha, groups=groups, include_top=False)
    assert model.get_layer("stage2_unit1_reduce_conv").groups == 1
    assert {layer.groups for layer in model.layers if layer.name.endswith("expand_conv")} == {groups}
    wanted = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}[groups] * alpha
    assert abs(model.output_shape[-1] - 4 * wanted) <= 4 * 2 * groups


def test_kernels_of_mixnet():
    model = MixNetS(input_shape=(64, 64, 3))
    parts = [model.get_layer(f"block14_depthwise_conv_{i}") for i in range(5)]
    assert [part.kernel_size[0] for part in parts] == [3, 5, 7, 9, 11]
    assert [part.output.shape[-1] for part in parts] == [144] * 5
    assert model.get_layer("block14_se_reduce").filters == 60
    assert "block2_se_reduce" not in {layer.name for layer in model.layers}


@pytest.mark.parametrize("module", ["squeezenet", "shufflenet", "shufflenet_v2", "ghostnet", "mixnet"])
def test_preprocessing(module):
    x = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3), np.uint8)
    y = getattr(applications, module).preprocess_input(x)
    np.testing.assert_array_equal(y, applications.imagenet_utils.preprocess_input(x, mode="torch"))


@pytest.mark.parametrize(
    "network, settings, message",
    [
        (SqueezeNet, {"version": 1.1}, "`version` must be '1.0' or '1.1'. Received: version=1.1"),
        (ShuffleNet, {"groups": 5}, "`groups` must be one of 1, 2, 3, 4, 8"),
        (ShuffleNet, {"alpha": 0.75}, "`alpha` must be one of 0.5, 1.0, 1.5, 2.0"),
        (ShuffleNetV2, {"alpha": 3}, "`alpha` must be one of"),
        (GhostNet, {"alpha": 0}, "`alpha` must be positive"),
        (MixNetS, {"input_shape": (31, 64, 3)}, "at least 32x32"),
    ],
)
def test_arguments(network, settings, message):
    with pytest.raises(ValueError, match=message):
        network(**settings)
