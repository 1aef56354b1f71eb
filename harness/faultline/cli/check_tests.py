"""scripts/check-tests: breaks one line per component in a copy of the tree and sees scripts/test go red."""

from __future__ import annotations

from faultline import mutants
from faultline.cli.common import verb
from faultline.paths import OUT


@verb("check-tests")
def main() -> int:
    """Breaks one line of each component, one after the other, in a copy of the tree (out/scratch/mutants) and runs the tests
    there: the short form, and where that notices nothing the booted tests. Takes about ten minutes.

    Exit status: 0 every broken line was noticed, 1 one was not, 2 it cannot be done.
    """
    living = mutants.check_all(OUT / "scratch" / "mutants", lambda line: print(line, flush=True))
    for mutant in living:
        print(f"  {mutant.file}: '{mutant.right}' can become '{mutant.wrong}' unnoticed")
    print(f"check-tests: {len(mutants.MUTANTS) - len(living)} of {len(mutants.MUTANTS)} broken lines noticed")
    return 1 if living else 0


if __name__ == "__main__":
    main()
