"""Which changes of the source do the tests notice?

A mutant is the package with one change, such as < for <=, 2 for 1, or `or` for `and`, made by an
operator of cosmic-ray (`OPERATORS`). The tests of the changed file run first, then those of the
other files, until one fails. A mutant with which none fails has survived. One that takes three
times as long as the tests without a mutant counts as noticed. Slow tests are left out.

    pip install -e ".[test]" cosmic-ray
    python examples/benchmarks/mutants.py --sample 100

The package is changed in a copy. The result is a table; the survivors are printed.
"""

import argparse
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
from importlib.metadata import version
from math import inf
from pathlib import Path

import parso
import pytest
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[2]
MUTATED = ["core/*.py", "settings/presets.py", "fit/pilot.py", "fit/evidence.py", "data/*.py"]
# fmt: off
OPERATORS = [
    "AddNot", "ExceptionReplacer", "NumberReplacer", "ReplaceAndWithOr", "ReplaceOrWithAnd",
    "ReplaceFalseWithTrue", "ReplaceTrueWithFalse", "ReplaceBreakWithContinue",
    "ZeroIterationForLoop", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub",
    "ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div", "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul", "ReplaceBinaryOperator_Mod_FloorDiv",
    "ReplaceBinaryOperator_Pow_Mul", "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq", "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_GtE_Lt", "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_Gt_LtE", "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_LtE_Gt", "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_Lt_GtE", "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
]
# fmt: on
OWN = {"presets": "test_defaults", "pilot": "test_pilot", "evidence": "test_evidence"}
OWN |= {"inputs": "test_inputs", "split": "test_validation"}
OWN |= dict.fromkeys(["rows", "targets", "read", "labels", "features"], "test_data")
OWN |= dict.fromkeys(["state", "config", "clock"], "core/test_training")
OTHERS = (
    "core test_pilot test_data test_defaults test_defaults_table test_agreement test_extensions"
)
OTHERS += " test_time_limit test_checkpoint test_validation test_state test_messages"
OTHERS += " test_differences test_classifier test_properties"
SLOW = "killed_again_and_again or pickle_during or nearly_as_good or says_why_training_stops"
# Few cases of each property; the profile is for `is_noticed`.
OPTIONS = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("mutants", max_examples=12, derandomize=True, **OPTIONS)


def list_mutants(package):
    """Return (path, operator, occurrence) for each mutant, in random order."""
    found = []
    for pattern in MUTATED:
        for path in sorted(package.glob(pattern)):
            nodes = list(ast_nodes(parso.parse(path.read_text())))
            for name in OPERATORS:
                operator = get_operator(f"core/{name}")()
                n = sum(len(list(operator.mutation_positions(node))) for node in nodes)
                found += [(path, operator, k) for k in range(n)]
    random.Random(0).shuffle(found)
    return found


def stages(path):
    """Return the tests of a file, and those of the others."""
    own = OWN.get(path.stem, f"core/test_{path.stem}")
    others = [f"tests/{name}{'' if name == 'core' else '.py'}" for name in OTHERS.split()]
    return [f"tests/{own}.py"], [f"--ignore=tests/{own}.py", *others]


def is_noticed(copy, tests, timeout):
    """Run tests in a forked process, whose libraries are imported; tell whether one fails."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            for descriptor in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
            os.chdir(copy)
            sys.path.insert(0, str(copy))
            options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
            options += ["-m", "", "-k", f"not ({SLOW})"]
            options += ["--hypothesis-profile=mutants", "-W", "ignore::pytest.PytestWarning"]
            code = pytest.main([*options, *tests])
        finally:
            os._exit(int(code))
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="number of mutants; all, if it is left out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "copy"
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT, copy, ignore=ignored)
        start = time.monotonic()
        if is_noticed(copy, stages(copy / "sknumpynet" / "data" / "rows.py")[1], timeout=inf):
            raise SystemExit("The tests fail without any mutant.")
        timeout = 3 * (time.monotonic() - start)
        mutants = list_mutants(copy / "sknumpynet")
        print(f"cosmic-ray {version('cosmic-ray')}, Python {platform.python_version()}")
        print(f"{len(mutants)} mutants")
        counts = {}
        for path, operator, occurrence in mutants[: arguments.sample]:
            source = path.read_text()
            mutated = MutationVisitor.mutate_code(source, operator, occurrence)
            path.write_text(mutated)
            noticed = any(is_noticed(copy, tests, timeout) for tests in stages(path))
            path.write_text(source)
            name = str(path.relative_to(copy / "sknumpynet"))
            count = counts.setdefault(name, [0, 0])
            count[0] += 1
            count[1] += noticed
            if not noticed:
                lines = zip(source.splitlines(), mutated.splitlines(), strict=False)
                number, (old, new) = next((i, p) for i, p in enumerate(lines, 1) if p[0] != p[1])
                print(f"{name}:{number}\n    {old.strip()}\n    {new.strip()}", flush=True)
    print("\n| file | mutants | noticed |\n|---|---|---|")
    for name, (n, n_noticed) in sorted(counts.items()):
        print(f"| {name} | {n} | {n_noticed} |")
    n, n_noticed = map(sum, zip(*counts.values(), strict=True))
    print(f"| all | {n} | {n_noticed} ({n_noticed / n:.1%}) |")


if __name__ == "__main__":
    main()
