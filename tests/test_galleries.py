"""Boxes and masks drawn on images, and galleries of them, by Keras' names."""

import numpy as np
import pytest

from cconv import visualization as show

RNG = np.random.default_rng(1)
IMAGES = RNG.integers(0, 200, (5, 12, 14, 3)).astype("uint8")
BOXES = {"boxes": np.array([[[2, 3, 9, 8], [1, 1, 4, 4]]] * 5, "float32"), "labels": np.array([[1, -1]] * 5)}
MASKS = np.zeros((5, 12, 14), int)
MASKS[:, 2:5], MASKS[:, 6:9] = 1, 2


def test_a_box_is_its_edges():
    y = show.draw_bounding_boxes(IMAGES, BOXES, "xyxy", color=(255, 201, 202), line_thickness=1)
    wanted = IMAGES.copy()
    for part in (np.s_[:, 3, 2:10], np.s_[:, 8, 2:10], np.s_[:, 3:9, 2], np.s_[:, 3:9, 9]):
        wanted[part] = (255, 201, 202)
    np.testing.assert_array_equal(y, wanted)  # the second one, of a label below 0, is not drawn
    thick = show.draw_bounding_boxes(IMAGES, BOXES, "xyxy", color=(255, 201, 202), line_thickness=3)
    assert (thick[0, :, :, 0] == 255).sum() == 10 * 8 - 4 * 2
    boxes = {**BOXES, "boxes": BOXES["boxes"] / [14, 12, 14, 12]}
    relative = show.draw_bounding_boxes(IMAGES, boxes, "rel_xyxy", color=(255, 201, 202), line_thickness=1)
    np.testing.assert_array_equal(relative, y)
    first = np.moveaxis(IMAGES, -1, 1)
    turned = show.draw_bounding_boxes(first, BOXES, "xyxy", None, (255, 201, 202), 1, data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(turned, 1, -1), y)
    assert show.draw_bounding_boxes(IMAGES[..., :1], BOXES, "xyxy").shape == (5, 12, 14, 1)


def test_names_are_written_in_place_and_on_the_image():
    images = np.full((1, 60, 120, 3), 100, "uint8")
    boxes = {"boxes": np.array([[[20, 30, 80, 50], [5, 2, 30, 20]]]), "labels": np.array([[0, 1]])}
    names = {0: "cat"}
    plain = show.draw_bounding_boxes(images, boxes, "xyxy", color=(0, 0, 255))
    named = show.draw_bounding_boxes(images, boxes, "xyxy", names, (0, 0, 255))
    sure = show.draw_bounding_boxes(images, {**boxes, "confidences": np.array([[0.5, 1]])}, "xyxy", names, (0, 0, 255))
    rows, columns = np.nonzero((named != plain).any(-1)[0])
    assert rows.min() >= 10 and rows.max() < 31 and columns.min() >= 18
    assert (sure != plain).sum() > 1.5 * (named != plain).sum()
    large = show.draw_bounding_boxes(images, boxes, "xyxy", names, (0, 0, 255), font_scale=1.6, text_thickness=3)
    assert (large != plain).sum() > 1.5 * (named != plain).sum()


def test_masks_are_laid_over():
    colors = {1: (255, 0, 0), 2: (0, 255, 0)}
    y = show.draw_segmentation_masks(IMAGES, MASKS, 3, colors, alpha=0.5)
    np.testing.assert_array_equal(y[:, :2], IMAGES[:, :2])
    for k, color in colors.items():
        inside = np.equal(MASKS, k)
        np.testing.assert_array_equal(y[inside], np.floor(IMAGES[inside] * 0.5 + np.array(color) * 0.5))
    solid = show.draw_segmentation_masks(IMAGES, MASKS[..., None], color_mapping=colors, blend=False, ignore_index=1)
    np.testing.assert_array_equal(solid[MASKS == 1], IMAGES[MASKS == 1])
    assert (solid[MASKS == 2] == (0, 255, 0)).all()
    grey = show.draw_segmentation_masks(IMAGES[..., :1] / 255.0, MASKS)
    assert grey.shape == IMAGES.shape and (grey[:, 0] == IMAGES[:, 0, :, :1]).all()
    assert len({tuple(color) for color in grey[MASKS > 0][:1]}) == 1
    turned = show.draw_segmentation_masks(
        np.moveaxis(IMAGES, -1, 1), MASKS, 3, colors, 0.5, data_format="channels_first"
    )
    np.testing.assert_array_equal(np.moveaxis(turned, 1, -1), y)
    background = show.draw_segmentation_masks(IMAGES, MASKS, 3, {0: (1, 2, 3), **colors}, blend=False)
    assert (background[MASKS == 0] == (1, 2, 3)).all()


def test_default_colours_differ():
    from cconv.visualization.drawing import palette

    found = np.array(list(palette(13).values()), float)
    distances = np.abs(found[:, None] - found).sum(-1) + 1000 * np.eye(12)
    assert distances.min() > 40


def test_image_gallery(tmp_path):
    names = {0: "cat", 1: "dog"}
    figure = show.plot_image_gallery(IMAGES, [0, 1, 0, 1, 0], [0, 1, 1, 1, 1], names, path=tmp_path / "a.png", dpi=50)
    assert [ax.get_title() for ax in figure.axes][:3] == [
        "Label: cat  Pred: cat", "Label: dog  Pred: dog", "Label: cat  Pred: dog",
    ]  # fmt: skip
    assert figure.axes[2].title.get_color() != figure.axes[1].title.get_color()
    assert (tmp_path / "a.png").stat().st_size > 2000
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), IMAGES[3])
    columns = []
    for settings in ({"rows": 2}, {"cols": 2}, {}):
        made = show.plot_image_gallery(IMAGES, **settings)
        columns.append(made.axes[0].get_subplotspec().get_gridspec().ncols)
    assert columns == [3, 2, 3]
    assert len(show.plot_image_gallery(IMAGES, rows=2, cols=2).axes) == 4
    dark = show.plot_image_gallery(IMAGES / 255 - 0.5, value_range=(-0.5, 0.5))
    np.testing.assert_array_equal(dark.axes[0].images[0].get_array(), IMAGES[0])
    grey = show.plot_image_gallery(np.moveaxis(IMAGES[..., :1], -1, 1), data_format="channels_first")
    assert grey.axes[0].images[0].get_array().shape == (12, 14)


def test_box_gallery():
    figure = show.plot_bounding_box_gallery(
        IMAGES, "xyxy", BOXES, BOXES, class_mapping={1: "a"}, legend=True, line_thickness=1, prediction_mapping={}
    )
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Ground Truth", "Predicted"]
    pixels = figure.axes[0].images[0].get_array()
    assert (pixels[8, 3:9] == (255, 235, 59)).all()  # the predicted one is drawn over the true one
    only = show.plot_bounding_box_gallery(IMAGES / 255, "xyxy", BOXES, value_range=(0, 1), line_thickness=1)
    assert (only.axes[0].images[0].get_array()[8, 3:9] == (0, 188, 212)).all()


def test_mask_gallery():
    colors = {1: (255, 0, 0), 2: (0, 255, 0)}
    figure = show.plot_segmentation_mask_gallery(
        IMAGES, 3, y_true=MASKS, y_pred=MASKS[..., None] * 0 + 2, color_mapping=colors, alpha=1.0, cols=2
    )
    assert len(figure.axes) == 15 and figure.axes[0].get_subplotspec().get_gridspec().ncols == 6
    plain, true, predicted = (np.asarray(ax.images[0].get_array()) for ax in figure.axes[3:6])
    np.testing.assert_array_equal(plain, IMAGES[1])
    assert (true[3] == (255, 0, 0)).all() and (predicted == (0, 255, 0)).all()


def test_a_window_shows_the_figure(monkeypatch):
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf().canvas.manager.canvas.figure))
    figure = show.plot_image_gallery(IMAGES, show=True)
    assert shown == [figure] and not plt.get_fignums()


def test_what_is_refused():
    with pytest.raises(ValueError, match="4D"):
        show.draw_bounding_boxes(IMAGES[0], BOXES, "xyxy")
    with pytest.raises(TypeError, match="dict"):
        show.draw_bounding_boxes(IMAGES, BOXES["boxes"], "xyxy")
    with pytest.raises(ValueError, match="labels"):
        show.draw_bounding_boxes(IMAGES, {"boxes": BOXES["boxes"]}, "xyxy")
    with pytest.raises(ValueError, match="5 images"):
        show.draw_bounding_boxes(IMAGES, {k: v[:2] for k, v in BOXES.items()}, "xyxy")
    with pytest.raises(TypeError, match="integer"):
        show.draw_segmentation_masks(IMAGES, MASKS.astype("float32"))
    with pytest.raises(ValueError, match="num_classes=2"):
        show.draw_segmentation_masks(IMAGES, MASKS, 2)
    with pytest.raises(ValueError, match="colour"):
        show.draw_segmentation_masks(IMAGES, MASKS, 3, {1: (0, 0, 0)})
    with pytest.raises(ValueError, match="alpha"):
        show.draw_segmentation_masks(IMAGES, MASKS, alpha=2)
    with pytest.raises(ValueError, match="label_map"):
        show.plot_image_gallery(IMAGES, [0] * 5)
    with pytest.raises(ValueError, match="label for each"):
        show.plot_image_gallery(IMAGES, [0], label_map={0: "a"})
    with pytest.raises(ValueError, match="path"):
        show.plot_image_gallery(IMAGES, path="a.png", show=True)
    with pytest.raises(ValueError, match="rank 4|4D"):
        show.plot_image_gallery(IMAGES[0])
    with pytest.raises(ValueError, match="legend"):
        show.plot_bounding_box_gallery(IMAGES, "xyxy", BOXES, legend=True, legend_handles=[])
