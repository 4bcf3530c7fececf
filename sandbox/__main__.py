"""`python -m sandbox`: the sandbox without Django, up in a quarter second."""

import argparse
import sys

from sandbox.options import EPILOG, SUMMARY, add_arguments, run


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genesys_sandbox",
        description=SUMMARY,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    try:
        run(parser.parse_args())
    except OSError as exc:
        sys.exit(f"genesys sandbox: {exc}")


if __name__ == "__main__":
    main()
