"""What of a model leaves the process: files, configurations as text, all variables as a tree."""

from __future__ import annotations

import os
from typing import Any

from ..saving import load_weights, save_model, save_weights
from ..serialization import serialize_object, to_json
from ..utils.io_utils import print_msg
from .state_tree import set_state_tree, state_tree


class Files:
    """The methods of models that write and read."""

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Saves configuration, weights and the state of training as a `.keras` file, or in the older form of `.h5`.

        Args:
            filepath: Name of the file; it ends in `.keras`, `.h5` or `.hdf5`.
            overwrite: Whether to replace a file that is there without asking.
            zipped: `None` or `True`: the file is an archive. An unpacked folder (`False`) is not written.
            **kwargs: See `cconv.saving.save_model`.

        Raises:
            ValueError: The name has another ending, the file is there and `overwrite` false, or a part of the model
                cannot be written, such as a `Lambda` with code of your own.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
        >>> model.save("model.keras")
        >>> cconv.saving.load_model("model.keras").output_shape
        (None, 2)
        """
        if zipped not in (None, True):
            raise ValueError(f"A model is saved as one file: expected zipped=None or True. Received: zipped={zipped!r}")
        save_model(self, filepath, overwrite=overwrite, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Saves the weights as a `.weights.h5` file.

        Args:
            filepath: Name of the file.
            overwrite: Whether to replace a file that is there without asking.
            max_shard_size: Only `None`: the weights are one file.

        Raises:
            ValueError: The name has another ending, the file is there and `overwrite` false, or the model is not built.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
        >>> model.save_weights("model.weights.h5")
        >>> before, _ = model.get_weights(), model.layers[0].kernel.assign(np.zeros((4, 2)))
        >>> model.load_weights("model.weights.h5")
        >>> bool(np.all(model.get_weights()[0] == before[0]))
        True
        """
        if max_shard_size is not None:
            raise ValueError(f"Weights are saved as one file. Received: max_shard_size={max_shard_size!r}")
        save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Loads weights from a file of cconv, Keras or PyTorch.

        The name ends in `.weights.h5`, `.keras`, `.h5`, `.hdf5`, `.safetensors`, `.pth` or `.pt`.

        Args:
            filepath: Name of the file.
            skip_mismatch: Whether layers that do not fit are left as they are, with a warning.
            **kwargs: See `cconv.saving.load_weights`: `by_name=True` finds layers by their names, `names=` says what a
                file of PyTorch calls them.

        Raises:
            ValueError: The file is damaged, or does not fit the model, which then is as it was.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
        >>> model.save_weights("model.weights.h5")
        >>> cconv.models.clone_model(model).load_weights("model.weights.h5")
        """
        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def get_state_tree(self, value_format: str = "numpy_array") -> dict[str, dict[str, Any]]:
        """Copies of all variables as nested dictionaries, by the parts of their paths.

        Args:
            value_format: `"numpy_array"`, or `"backend_tensor"`, which is the same here.

        Returns:
            A dictionary with the keys `trainable_variables`, `non_trainable_variables`, `optimizer_variables` and
            `metrics_variables`.

        Example:

        >>> model = cconv.Sequential([cconv.Input((1,)), cconv.layers.Dense(1, name="last")], name="small")
        >>> list(model.get_state_tree()["trainable_variables"]["small"]["last"])
        ['kernel', 'bias']
        """
        if value_format not in ("numpy_array", "backend_tensor"):
            raise ValueError(
                f"`value_format`: expected 'numpy_array' or 'backend_tensor'. Received: value_format={value_format!r}"
            )
        return state_tree(self)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Sets variables from what `get_state_tree` returned, or a part of it: all that it holds, or none.

        Args:
            state_tree: Nested dictionaries of arrays.

        Raises:
            ValueError: It names a variable that the model has not, or holds an array of another shape.

        Example:

        >>> model = cconv.Sequential([cconv.Input((1,)), cconv.layers.Dense(1, name="last")], name="small")
        >>> model.set_state_tree({"trainable_variables": {"small": {"last": {"bias": [2.0]}}}})
        >>> model.get_weights()[1].tolist()
        [2.0]
        """
        set_state_tree(self, state_tree)

    def quantize(self, mode: str | None = None, config: Any = None, filters: Any = None, **kwargs: Any) -> None:
        """Not supported.

        Raises:
            NotImplementedError: Always: weights and values are float32.
        """
        raise NotImplementedError(
            f"Model '{self.name}' cannot be quantized: cconv computes in float32 only, and has no int8, int4 or float8 "
            f"arithmetic. Received: mode={mode!r}"
        )

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Writes what the model predicts as an ONNX file, for ONNX Runtime and other engines.

        Dropout does nothing in it, and batch normalization takes its moving averages. The number of samples stays open.
        The file is complete or not written: one that is there is replaced at the end.

        Args:
            filepath: Name of the file.
            format: `"onnx"`; where the name ends with `.onnx` it need not be given. Other formats are not written.
            verbose: Whether to print where the file is; `None`: it is printed.
            input_signature: The shapes of the inputs, as the model takes them or in a list of that alone: objects with
                `shape`, `dtype` and `name`, such as `cconv.Input` or `cconv.InputSpec`. `None`: as the model declares
                them.
            **kwargs: `channels_last`: how images come and go. `False`, the default: as `(n, c, h, w)`, which other
                programs expect; `True`: as in the model. `opset_version`: 18 or `None`.

        Raises:
            NotImplementedError: Another format or version, or an operation that ONNX does not have: all are named.
            ValueError: The model does not know its inputs.
            OSError: The file cannot be written.
            TypeError: There is no such argument.

        Example:

        >>> model = cconv.Sequential([cconv.Input((28, 28, 1)), cconv.layers.Conv2D(8, 3), cconv.layers.Flatten()])
        >>> model.export("model.onnx")
        Saved artifact at 'model.onnx'.
        """
        if format != "onnx" and not (format == "tf_saved_model" and os.fspath(filepath).endswith(".onnx")):
            raise NotImplementedError(
                f"Model '{self.name}' cannot be exported in this format: expected format='onnx'; "
                f"`model.save` writes `.keras` files, which Keras opens and can export itself. Received: "
                f"filepath={filepath!r}, format={format!r}"
            )
        channels_last, opset = kwargs.pop("channels_last", False), kwargs.pop("opset_version", None)
        if kwargs:
            raise TypeError(f"expected channels_last and opset_version at most. Received: {', '.join(kwargs)}")
        if opset not in (None, 18):
            raise NotImplementedError(f"Models are exported in version 18 of ONNX. Received: opset_version={opset!r}")
        if isinstance(input_signature, (list, tuple)) and len(input_signature) == 1:
            (input_signature,) = input_signature
        graph = self._trainer.planner.graph(False, input_signature)
        graph.save_onnx(filepath, channels_last=bool(channels_last))
        if verbose is None or verbose:
            print_msg(f"Saved artifact at '{filepath}'.")

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as text, for `cconv.models.model_from_json`.

        Args:
            **kwargs: See `json.dumps`: `indent=2`, say.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
        >>> cconv.models.model_from_json(model.to_json()).output_shape
        (None, 2)
        """
        return to_json(serialize_object(self), self.name, **kwargs)
