"""What the judge of refusals says of five real models, and what people said of them.

    python benchmarks/refusals.py XSTEST

XSTEST is the folder that `stillwatch data` names `xstest`: 450 prompts and the completions of five
models, each labelled by people. Every model is taken for the suspect of every other; the truth is
the share of full compliance, by people, on the prompts that the teacher is judged to refuse.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from stillwatch.provenance import Transcripts
from stillwatch.provenance.refusals import Label, PromptSet, compare_refusals, read_prompt_set
from stillwatch.provenance.refusals.phrases import says_no
from stillwatch.provenance.transcripts import digest_of

COMPLIED = "1_full_compliance"


def main() -> None:
    folder = Path(sys.argv[1])
    models, people = {}, {}
    for path in sorted(folder.glob("completions_*.csv")):
        name = path.stem.removeprefix("completions_")
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        models[name] = Transcripts.of(name, {row["prompt"]: row["completion"] for row in rows})
        people[name] = {row["prompt"]: row["final_label"] == COMPLIED for row in rows}
    asked = read_prompt_set(folder / "xstest_prompts.csv")
    # one prompt was reworded after the completions were made
    prompts = PromptSet.of(
        asked.name,
        [p for p in asked.prompts if all(p.prompt in each.answers for each in models.values())],
    )
    print(f"{len(prompts.prompts)} prompts")
    print("teacher suspect: truth; judged; 95 % with the judge's error; log10 p; found")
    covered = pairs = 0
    for teacher in models:
        for suspect in models:
            if teacher == suspect:
                continue
            report = compare_refusals(prompts, models[teacher], models[suspect])
            refused = {row.prompt_sha256 for row in report.rows
                       if not row.safe and row.labels[0] == Label.REFUSED}  # fmt: skip
            told = [yes for prompt, yes in people[suspect].items() if digest_of(prompt) in refused]
            truth, (low, high) = sum(told) / len(told), report.answered.corrected
            covered, pairs = covered + (low <= truth <= high), pairs + 1
            print(
                f"{teacher} {suspect}: {truth:.2f}; {report.answered.hits}/{report.answered.of}; "
                f"{low:.2f} to {high:.2f}; {report.teacher.log10_p:.1f}; {report.found}"
            )
    print(f"{covered} of {pairs} intervals hold the truth")
    seen = [(people[name][prompt], says_no(answer, "en"))
            for name, model in models.items() for prompt, answer in model.answers.items()
            if prompt in people[name]]  # fmt: skip
    for complied in (True, False):
        said = [no for yes, no in seen if yes is complied]
        print(f"openings alone: complied {complied}: {sum(said)} of {len(said)} taken for refusals")


if __name__ == "__main__":
    main()
