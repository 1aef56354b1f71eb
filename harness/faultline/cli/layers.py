"""scripts/check-layers: who includes what, and what kernel/ may not hold."""

from __future__ import annotations

from faultline import checks
from faultline.cli.common import verb


@verb("check-layers")
def main() -> int:
    """Checks include directions, hal-only-asm, no-test-ifdef, integer-to-pointer casts in kernel/, and file sizes; first proves
    on planted violations that it can fail.

    Exit status: 0 clean, 1 violations, 2 the check itself is broken.
    """
    missed = checks.self_test()
    for what in missed:
        print(f"check-layers: the check does not see {what}")
    if missed:
        return 2
    violations = checks.check_tree()
    for violation in violations:
        print(violation)
    print(f"check-layers: {len(violations)} violations; {len(checks.PLANTED)} planted ones seen")
    return 1 if violations else 0


if __name__ == "__main__":
    main()
