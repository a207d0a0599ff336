"""Other people's tools work with the classifier, and do with it what they are for."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import (
    HalvingGridSearchCV,
    TunedThresholdClassifierCV,
    train_test_split,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumericalEncoder, NumpyMLPClassifier


def network(**settings):
    return NumpyMLPClassifier(
        **{"hidden_layer_sizes": 16, "effort": 0.2, "random_state": 0} | settings
    )


def small(**settings):
    return make_pipeline(NumericalEncoder(n_bins=0), network(**settings))


@pytest.fixture(scope="module")
def cancer():
    """X_train, X_test, y_train, y_test."""
    X, y = load_breast_cancer(return_X_y=True)
    return train_test_split(X, y, stratify=y, random_state=0)


@pytest.mark.parametrize(
    "model",
    [
        VotingClassifier([("a", small()), ("b", small(random_state=1))], voting="soft"),
        StackingClassifier([("a", small()), ("b", small(activation="tanh"))], cv=3),
        BaggingClassifier(small(), n_estimators=3, random_state=0),
        AdaBoostClassifier(network(), n_estimators=3, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_ensembles(model, cancer):
    X, X_test, y, y_test = cancer
    if isinstance(
        model, AdaBoostClassifier
    ):  # passes sample weights, which a Pipeline does not take
        scaler = StandardScaler().fit(X)
        X, X_test = scaler.transform(X), scaler.transform(X_test)
    assert model.fit(X, y).score(X_test, y_test) > 0.93


def test_calibration_mends_the_probabilities_of_weighted_classes():
    X, y = make_classification(3000, weights=[0.9], flip_y=0.1, random_state=0)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    weighted = network(class_weight="balanced")
    calibrated = CalibratedClassifierCV(weighted, cv=3).fit(X, y)
    before = log_loss(y_test, weighted.fit(X, y).predict_proba(X_test))
    assert log_loss(y_test, calibrated.predict_proba(X_test)) < before


def test_a_tuned_threshold_finds_the_rare_class():
    X, y = make_classification(3000, weights=[0.9], flip_y=0.1, random_state=0)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    tuned = TunedThresholdClassifierCV(network(), scoring="balanced_accuracy", cv=3).fit(X, y)
    plain = balanced_accuracy_score(y_test, network().fit(X, y).predict(X_test))
    assert balanced_accuracy_score(y_test, tuned.predict(X_test)) > plain


@pytest.mark.parametrize("Wrapper", [ClassifierChain, MultiOutputClassifier])
def test_several_labels(Wrapper, digits):
    X, y = digits
    Y = np.column_stack([y % 2, y > 4])
    X, X_test, Y, Y_test = train_test_split(X, Y, random_state=0)
    predicted = Wrapper(network()).fit(X, Y).predict(X_test)
    assert (predicted == Y_test).mean() > 0.93


@pytest.mark.parametrize("resource", ["max_iter", "n_samples"])
def test_halving_search(resource, digits):
    grid = {"learning_rate_init": [1e-6, 0.005]}
    limits = {"max_iter": {"min_resources": 4, "max_resources": 12}, "n_samples": {}}[resource]
    search = HalvingGridSearchCV(
        network(effort=1), grid, resource=resource, cv=3, random_state=0, **limits
    ).fit(*digits)
    assert search.best_params_["learning_rate_init"] == 0.005


def test_routed_sample_weights_reach_the_network(cancer):
    X, _, y, _ = cancer
    weight = np.random.default_rng(0).random(len(y))
    direct = network().fit(StandardScaler().fit_transform(X), y, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = make_pipeline(scaler, network().set_fit_request(sample_weight=True))
        model = model.fit(X, y, sample_weight=weight)
    assert np.array_equal(model[-1].params_, direct.params_)


def test_set_output_names_the_columns_of_the_encoder(cancer):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(cancer[0]).add_prefix("feature ")
    encoder = NumericalEncoder(n_bins=0).set_output(transform="pandas")
    assert list(encoder.fit_transform(X)) == list(X)
    model = make_pipeline(encoder, network()).fit(X, cancer[2])
    assert list(model[-1].feature_names_in_) == list(X)


def test_skrub_makes_a_pipeline_of_a_mixed_table():
    skrub = pytest.importorskip("skrub")
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"age": rng.integers(18, 90, 400), "city": rng.choice(["Bern", "Oslo"], 400)}
    )
    y = (table["age"] > 50) ^ (table["city"] == "Oslo")
    model = make_pipeline(skrub.TableVectorizer(), NumericalEncoder(), network(effort=1)).fit(
        table, y
    )
    assert model.score(table, y) > 0.95


def test_imbalanced_learn_resamples_in_front_of_the_network():
    pytest.importorskip("imblearn")
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline as make_imbalanced_pipeline

    X, y = make_classification(1000, weights=[0.95], flip_y=0.02, random_state=0)
    model = make_imbalanced_pipeline(StandardScaler(), SMOTE(random_state=0), network()).fit(X, y)
    plain = make_pipeline(StandardScaler(), network()).fit(X, y)
    found = [m.predict(X)[y == 1].mean() for m in (model, plain)]
    assert found[0] > found[1]


def test_optuna_prunes_by_partial_fit(digits):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, X_val, y, y_val = train_test_split(*digits, random_state=0)

    def objective(trial):
        rate = trial.suggest_categorical("learning_rate_init", [0.005, 1e-7])
        model = NumpyMLPClassifier(16, learning_rate_init=rate, random_state=0)
        for epoch in range(5):
            model.partial_fit(X, y, classes=np.arange(10))
            trial.report(model.score(X_val, y_val), epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return model.score(X_val, y_val)

    pruner = optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=1)
    sampler = optuna.samplers.GridSampler({"learning_rate_init": [0.005, 1e-7]}, seed=1)
    study = optuna.create_study(direction="maximize", pruner=pruner, sampler=sampler)
    study.enqueue_trial({"learning_rate_init": 0.005})
    study.optimize(objective, n_trials=2)
    assert study.best_params == {"learning_rate_init": 0.005}
    assert study.trials[1].state == optuna.trial.TrialState.PRUNED


def test_shap_adds_up_to_the_prediction(cancer):
    shap = pytest.importorskip("shap")
    X, X_test, y, _ = cancer
    model = small().fit(X, y)

    def probability(X):
        return model.predict_proba(X)[:, 1]

    explainer = shap.Explainer(probability, X[:50], algorithm="permutation", seed=0)
    explanation = explainer(X_test[:3], silent=True)
    total = explanation.values.sum(axis=1) + explanation.base_values
    assert np.allclose(total, probability(X_test[:3]), atol=1e-6)
    assert np.abs(explanation.values).max() > 0.01


def test_mapie_sets_contain_the_label_as_often_as_promised(digits):
    pytest.importorskip("mapie")
    from mapie.classification import SplitConformalClassifier

    X, X_rest, y, y_rest = train_test_split(*digits, test_size=0.6, random_state=0)
    X_cal, X_test, y_cal, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=0)
    conformal = SplitConformalClassifier(network().fit(X, y), confidence_level=0.95, prefit=True)
    _, sets = conformal.conformalize(X_cal, y_cal).predict_set(X_test)
    assert abs(sets[np.arange(len(y_test)), y_test, 0].mean() - 0.95) < 0.04


def test_dask_mls_incremental_trains_block_by_block(digits):
    pytest.importorskip("dask_ml")
    import dask.array as da
    from dask_ml.wrappers import Incremental

    X, y = digits
    blocks = da.from_array(X, (600, 64)), da.from_array(y, 600)
    model = Incremental(network(), shuffle_blocks=False, assume_equal_chunks=True)
    model = model.fit(*blocks, classes=np.arange(10))
    local = network()
    for start in (0, 600, 1200):
        local.partial_fit(X[start : start + 600], y[start : start + 600], classes=np.arange(10))
    assert np.array_equal(model.estimator_.params_, local.params_)


def test_cleanlab_finds_wrong_labels(digits):
    pytest.importorskip("cleanlab")
    from cleanlab.classification import CleanLearning

    X, y = digits
    wrong = np.random.default_rng(0).choice(len(y), 60, replace=False)
    noisy = y.copy()
    noisy[wrong] = (y[wrong] + 1) % 10
    issues = CleanLearning(network(), seed=0).find_label_issues(X, noisy)
    found = np.flatnonzero(issues["is_label_issue"])
    assert np.isin(wrong, found).mean() > 0.8
    assert np.isin(found, wrong).mean() > 0.8
