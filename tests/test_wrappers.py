"""The wrappers for scikit-learn: its own checks, images, grid search in forked and spawned workers, copies."""

import multiprocessing
import pickle

import numpy as np
import pytest

import cconv
from cconv import layers

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from cconv.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer  # noqa: E402

FIT = {"epochs": 10, "verbose": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype("float32")
Y = np.where(X[:, 0] + X[:, 1] > 0, "over", "below")


def network(X, y, loss="categorical_crossentropy", units=10):
    cconv.utils.set_random_seed(0)
    last = "softmax" if "crossentropy" in loss else None
    model = cconv.Sequential(
        [
            cconv.Input(X.shape[1:]),
            layers.Dense(units, activation="relu"),
            layers.Dense(y.shape[1], activation=last),
        ]
    )
    model.compile(cconv.optimizers.Adam(0.05), loss=loss)
    return model


# what scikit-learn asks of a classifier and Keras' wrapper does not do either: samples of weight 0 that do not count,
# few steps that find every class, one column for two classes
CHECKS_NOT_MET = {
    "check_classifiers_one_label_sample_weights",
    "check_classifiers_classes",
    "check_classifiers_train",
}


@pytest.mark.parametrize("kind", [SKLearnClassifier, SKLearnRegressor, SKLearnTransformer])
def test_scikit_learns_own_checks(kind):
    loss = "categorical_crossentropy" if kind is SKLearnClassifier else "mse"
    estimator = kind(network, model_kwargs={"loss": loss}, fit_kwargs={"epochs": 1, "verbose": 0})
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {result["check_name"] for result in results if result["status"] == "failed"}
    assert failed <= (CHECKS_NOT_MET if kind is SKLearnClassifier else set())
    assert sum(result["status"] == "passed" for result in results) >= 38


def test_a_classifier_knows_its_labels():
    classifier = SKLearnClassifier(network, model_kwargs={"units": 8}, fit_kwargs=FIT).fit(X, Y)
    assert classifier.classes_.tolist() == ["below", "over"] and classifier.n_features_in_ == 3
    assert classifier.score(X, Y) > 0.9 and set(classifier.predict(X)) == {"below", "over"}
    assert classifier.decision_function(X).shape == (60, 2)
    assert classifier.model_.layers[0].units == 8 and len(classifier.history_["loss"]) == 10
    classifier.fit(X, Y, epochs=2)
    assert len(classifier.history_["loss"]) == 2


def test_images_are_samples_too():
    def convolutional(X, y):
        model = cconv.Sequential([cconv.Input(X.shape[1:]), layers.Conv2D(2, 3), layers.Flatten()])
        model.add(layers.Dense(y.shape[1], activation="softmax"))
        model.compile("adam", "categorical_crossentropy")
        return model

    images = RNG.normal(size=(8, 6, 6, 1))
    classifier = SKLearnClassifier(convolutional, fit_kwargs={"verbose": 0}).fit(images, [0, 1] * 4)
    assert classifier.predict(images).shape == (8,)
    with pytest.raises(ValueError, match="6"):
        classifier.predict(images[:, :5])


def test_a_regressor_and_a_transformer():
    y = X @ [1.0, 2.0, 3.0]
    regressor = SKLearnRegressor(network, model_kwargs={"loss": "mse"}, fit_kwargs={"epochs": 30, "verbose": 0})
    assert regressor.fit(X, y).predict(X).shape == (60,) and regressor.score(X, y) > 0.9
    transformer = SKLearnTransformer(network, model_kwargs={"loss": "mse"}, fit_kwargs=FIT)
    assert transformer.fit_transform(X, y).shape == (60, 1)
    assert make_pipeline(StandardScaler(), regressor).fit(X, y).score(X, y) > 0.9


def test_a_compiled_model_is_copied():
    model = network(X, np.zeros((1, 2)))
    before = model.get_weights()
    classifier = SKLearnClassifier(model, fit_kwargs=FIT).fit(X, Y)
    assert classifier.model_ is not model and classifier.model_.optimizer is not model.optimizer
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert classifier.score(X, Y) > 0.8


def test_warm_start_goes_on():
    classifier = SKLearnClassifier(network, warm_start=True, fit_kwargs=FIT).fit(X, Y)
    model, steps = classifier.model_, int(classifier.model_.optimizer.iterations)
    classifier.fit(X, Y)
    assert classifier.model_ is model and int(model.optimizer.iterations) == 2 * steps
    with pytest.raises(ValueError, match="'other'|other"):
        classifier.fit(X, np.where(X[:, 0] > 0, "other", "over"))


def test_copies_predict_the_same():
    classifier = SKLearnClassifier(network, fit_kwargs=FIT).fit(X, Y)
    loaded = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(loaded.decision_function(X), classifier.decision_function(X))
    again = clone(classifier)
    assert not hasattr(again, "model_") and again.get_params() == classifier.get_params()


@pytest.mark.parametrize(
    "backend",
    [pytest.param("loky", marks=pytest.mark.slow), "multiprocessing", "threading"],
)
def test_grid_search_with_two_workers(backend):
    joblib = pytest.importorskip("joblib")
    search = GridSearchCV(
        SKLearnClassifier(network, fit_kwargs=FIT), {"model_kwargs": [{"units": 1}, {"units": 12}]}, cv=2
    )
    found = []
    for jobs in (1, 2):
        search.n_jobs = jobs
        with joblib.parallel_backend(backend):
            found.append(search.fit(X, Y).cv_results_["mean_test_score"])
    if backend != "threading":  # threads draw from one stream of seeds
        np.testing.assert_array_equal(*found)
    assert max(found[1]) > 0.8


def threads_here(X, y):
    model = network(X, y)
    model.add(layers.Rescaling(1.0, name=f"threads_{cconv.get_num_threads()}"))
    model.compile("adam", "categorical_crossentropy")
    return model


def _fitted_threads(_):
    return SKLearnClassifier(threads_here, fit_kwargs={"verbose": 0}).fit(X, Y).model_.layers[-1].name


def test_a_forked_worker_takes_one_thread():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map(_fitted_threads, [0]) == ["threads_1"]


def test_spawned_workers_take_their_share():
    joblib = pytest.importorskip("joblib")
    names = joblib.Parallel(n_jobs=2)(joblib.delayed(_fitted_threads)(i) for i in range(2))
    share = max(joblib.cpu_count() // 2, 1)
    assert all(int(name.split("_")[1]) <= share for name in names)


WRONG = {
    "no model": (3, TypeError, ["SKLearnClassifier", "model=3"]),
    "not compiled": (cconv.Sequential([layers.Dense(2)], name="raw"), RuntimeError, ["'raw'", "compiled"]),
    "a function of no model": (lambda X, y: 3, TypeError, ["returned: 3"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_models(name):
    model, exception, words = WRONG[name]
    with pytest.raises(exception) as caught:
        SKLearnClassifier(model).fit(X, Y)
    assert all(word in str(caught.value) for word in words), caught.value
