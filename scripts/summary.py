"""Counts the test cases of a run and prints one line, "N passed, N failed", as the last; exits 1 if anything failed.

Usage: summary.py RESULTS_FOLDER CTEST_STATUS
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as xml


def main() -> int:
    folder, status = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    passed = failed = skipped = 0
    counted = set()
    broken = []
    for file in sorted(folder.glob("test_*.json")):
        report = json.loads(file.read_text())
        counted.add(file.stem)
        for suite in report.get("testsuites", []):
            for case in suite.get("testsuite", []):
                if case.get("failures"):
                    failed += 1
                    broken.append(f"{suite['name']}.{case['name']}")
                elif case.get("result") == "SKIPPED":
                    skipped += 1
                else:
                    passed += 1
    ctest = folder / "ctest.xml"
    if ctest.exists():
        for case in xml.parse(ctest).getroot().iter("testcase"):
            name, ok = case.get("name"), case.get("status") == "run"
            # GoogleTest executables are counted by their cases, unless they died before they could report.
            own = "test_" + name.removeprefix("unit_")
            if own in counted:
                if not ok and not broken:
                    failed += 1
                    broken.append(name)
                continue
            if ok:
                passed += 1
            else:
                failed += 1
                broken.append(name)
    if status != 0 and failed == 0:
        failed = 1
        broken.append(f"ctest ended with {status}")
    for name in broken:
        print("failed:", name)
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
