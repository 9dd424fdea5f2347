"""PyTorch -> ONNX -> cconv: networks of torchvision and others, exported in both ways, compute the same here."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import cconv

from .onnx_zoo import check, difference, exported, predict, run, torch_outputs, torchvision, unlike_new

torch = pytest.importorskip("torch", reason="needs torch")
nn = torch.nn

pytestmark = pytest.mark.filterwarnings("ignore")

# A side of the image; 64 where it is not said. The older exporter averages adaptively only where sizes are multiples.
SIZES = {"alexnet": 223, "vgg11_bn": 224, "squeezenet1_0": 96, "squeezenet1_1": 96, "inception_v3": 128}
SIZES |= {"vit_b_32": 224, "maxvit_t": 224}
CLASSIFIERS = [
    "alexnet",
    "vgg11_bn",
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "squeezenet1_0",
    "squeezenet1_1",
    "densenet121",
    "googlenet",
    "inception_v3",
    "shufflenet_v2_x1_0",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "mnasnet1_0",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_x_400mf",
    "regnet_y_400mf",
]
SEGMENTERS = ["deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large", "fcn_resnet50"]


class Out(nn.Module):
    """The map of classes alone, of a network that returns a dictionary."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


def network(name):
    models = torchvision().models
    torch.manual_seed(0)
    if name in SEGMENTERS:
        return unlike_new(Out(getattr(models.segmentation, name)(weights=None, weights_backbone=None)))
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    if name == "r3d_18":
        return unlike_new(models.video.r3d_18(weights=None))
    return unlike_new(getattr(models, name)(weights=None, **options))


def round_trip(net, arrays, record, opset=17, dynamo=False):
    """Exported for other images than those that are compared; compared with ONNX Runtime and with PyTorch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = exported(net, [np.concatenate([a, a[:1]]) for a in arrays], opset, dynamo)
    loaded = check(model, arrays, record)
    assert difference(predict(loaded, arrays), torch_outputs(net, arrays)) <= 1e-4
    assert all(x.shape[0] is None for x in loaded.inputs)
    return loaded


def images(name, n=2):
    size = SIZES.get(name, 64)
    return [np.random.default_rng(1).standard_normal((n, 3, size, size)).astype(np.float32)]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CLASSIFIERS, *SEGMENTERS])
def test_torchvision(name, record_property):
    round_trip(network(name), images(name), record_property)


@pytest.mark.slow
@pytest.mark.parametrize("opset", [18, 20])
@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x1_0"])
def test_torchvision_by_the_newer_exporter(name, opset, record_property):
    round_trip(network(name), images(name), record_property, opset, dynamo=True)


@pytest.mark.slow
@pytest.mark.parametrize("opset", [9, 11, 13, 18, 20])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "shufflenet_v2_x1_0"])
def test_opsets(name, opset, record_property):
    round_trip(network(name), images(name), record_property, opset)


@pytest.mark.slow
@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("name", ["swin_t", "swin_v2_t", "maxvit_t", "vit_b_32", "convnext_tiny"])
def test_transformers(name, dynamo, record_property):
    net = network(name)
    if name == "vit_b_32":
        nn.init.normal_(net.heads.head.weight, std=0.1)  # they begin as zeros
    round_trip(net, images(name), record_property, 18 if dynamo else 17, dynamo)


def small(name):
    """Few and narrow layers of the kind; for images of 32 x 32."""
    models = torchvision().models
    torch.manual_seed(0)
    if name.startswith("vit"):
        net = models.VisionTransformer(32, 8, 2, 2, int(name[4:]), 32, num_classes=5)
    elif name == "convnext":
        settings = models.convnext.CNBlockConfig
        net = models.ConvNeXt([settings(8, 24, 2), settings(24, None, 2)], num_classes=5)
    else:
        swin = models.swin_transformer
        blocks = {"swin v2": {"block": swin.SwinTransformerBlockV2, "downsample_layer": swin.PatchMergingV2}}
        net = models.SwinTransformer([4, 4], 8, [2, 2], [2, 4], [2, 2], num_classes=5, **blocks.get(name, {}))
    for parameter in net.parameters():  # some begin as zeros, or too small to be seen
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    return net.eval()


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("name", ["vit 16", "vit 24", "convnext", "swin", "swin v2"])
def test_small_transformers(name, dynamo, tmp_path, record_property):
    """A class token is repeated for each sample; the newer exporter writes views as positions of elements."""
    net = small(name)
    x = np.random.default_rng(3).standard_normal((5, 3, 32, 32)).astype(np.float32)
    loaded = round_trip(net, [x[:2]], record_property, 18 if dynamo else 17, dynamo)
    for n in (1, 5):
        assert difference(predict(loaded, [x[:n]]), torch_outputs(net, [x[:n]])) <= 1e-5
    loaded.export(str(tmp_path / "m.onnx"), format="onnx", verbose=False)
    for n in (1, 5):
        assert difference(run(tmp_path / "m.onnx", [x[:n]]), torch_outputs(net, [x[:n]])) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("dynamo", [False, True])
def test_volumes(dynamo, record_property):
    x = np.random.default_rng(1).standard_normal((2, 3, 8, 48, 48)).astype(np.float32)
    round_trip(network("r3d_18"), [x], record_property, 18, dynamo)


class Sequences(nn.Module):
    """Convolutions along one axis with what is usual between them."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(4, 8, 5, padding=2)
        self.norm = nn.BatchNorm1d(8)
        self.depthwise = nn.Conv1d(8, 8, 3, padding=2, dilation=2, groups=8)
        self.up = nn.ConvTranspose1d(8, 6, 4, stride=2, padding=1)
        self.group = nn.GroupNorm(3, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = nn.functional.max_pool1d(torch.relu(self.norm(self.first(x))), 2)
        x = x + nn.functional.gelu(self.depthwise(x))
        x = nn.functional.silu(self.group(self.up(x)))
        return self.head(nn.functional.avg_pool1d(x, 3, 2).mean(-1))


class Attention(nn.Module):
    """A block of a transformer on rows of features, and an embedding in front of it."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 16)
        self.norm = nn.LayerNorm(16)
        self.qkv = nn.Linear(16, 48)
        self.out = nn.Linear(16, 16)

    def forward(self, words):
        x = self.table(words)
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, t, 3, 4, c // 4).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) / 2.0, -1)
        return x + self.out((weights @ v).transpose(1, 2).reshape(n, t, c))


class TwoInputs(nn.Module):
    """One convolution for both images, two outputs."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.prelu = nn.PReLU(4)

    def forward(self, a, b):
        a, b = self.prelu(self.conv(a)), self.prelu(self.conv(b))
        joined = torch.cat([a, nn.functional.interpolate(b, scale_factor=2, mode="bilinear")], 1)
        return joined, nn.functional.log_softmax(joined.flatten(2).mean(-1), 1)


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("opset", [13, 18])
def test_small_networks(opset, dynamo, record_property):
    if dynamo and opset < 18:
        pytest.skip("the newer exporter begins at opset 18")
    torch.manual_seed(0)
    rng = np.random.default_rng(2)
    floats = lambda *shape: rng.standard_normal(shape).astype(np.float32)  # noqa: E731
    round_trip(unlike_new(Sequences()), [floats(2, 4, 32)], record_property, opset, dynamo)
    round_trip(unlike_new(TwoInputs()), [floats(2, 3, 16, 16), floats(2, 3, 8, 8)], record_property, opset, dynamo)
    round_trip(Attention().eval(), [rng.integers(0, 11, (2, 7)).astype(np.int64)], record_property, opset, dynamo)


def test_what_is_not_supported_is_named():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.gru = nn.LSTM(4, 5, batch_first=True), nn.GRU(5, 6, batch_first=True)

        def forward(self, x):
            return self.gru(torch.relu(self.lstm(x)[0]))[0]

    model = exported(Recurrent().eval(), [np.zeros((2, 7, 4), np.float32)])
    with pytest.raises(NotImplementedError, match=r"LSTM.*GRU"):
        cconv.onnx.load(model)
