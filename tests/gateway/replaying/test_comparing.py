"""What differs between two sets of rules, on one log."""

from __future__ import annotations

from tests.gateway.replaying.conftest import Run, line, row

OLD = """\
rules:
  - {id: many, when: n > 2, deny: true, reason: r}
  - {id: slow, when: stream, slow: 2, reason: r}
  - {id: seeded, when: seed && n == 7, deny: true, reason: r}
"""
ROWS = [
    row(account="a", n=1),
    row(account="b", n=2, tenant_kind="research"),
    row(account="c", n=3),
    row(account="d", n=1, stream=True),
]


def test_the_same_rules_change_nothing(ask: Run) -> None:
    report = ask([*ROWS, row(account="e", n=7)], OLD, OLD).report
    assert report.outcomes == {
        "same": 5, "changed": 0, "newly_refused": 0, "newly_allowed": 0, "unjudged": 0
    }  # fmt: skip
    assert (report.rules, report.accounts) == ((), ())


def test_only_what_changes_is_counted_and_put_down_to_what_changed(ask: Run) -> None:
    new = OLD.replace("n > 2", "n == 2").replace("slow: 2", "slow: 3")
    report = ask(ROWS, new, OLD).report
    assert report.outcomes == {
        "same": 1, "changed": 1, "newly_refused": 1, "newly_allowed": 1, "unjudged": 0
    }  # fmt: skip
    assert line(report, "many").counts == {"newly_refused": 1, "newly_allowed": 1}
    assert line(report, "slow").counts == {"changed": 1}
    assert [each.account for each in report.accounts] == ["b", "c", "d"]
    assert [(k.kind, k.affected) for k in report.kinds] == [("research", 1), (None, 2)]


def test_a_rule_that_was_taken_out_is_named(ask: Run) -> None:
    new = OLD.replace("  - {id: many, when: n > 2, deny: true, reason: r}\n", "")
    report = ask(ROWS, new, OLD).report
    assert report.outcomes["newly_allowed"] == 1
    assert line(report, "many").counts == {"newly_allowed": 1}


def test_a_rule_that_is_new_and_reads_what_the_log_lacks_is_not_told(ask: Run) -> None:
    new = OLD + "  - {id: bots, when: ja4 == 'x' && n == 1, deny: true, reason: r}\n"
    report = ask(ROWS, new, OLD).report
    assert report.outcomes["unjudged"] == 2
    assert line(report, "bots").counts == {"unjudged": 2}
    assert line(report, "bots").needs == ("ja4",)


def test_a_condition_that_changed_and_still_cannot_be_told_is_not_the_same(ask: Run) -> None:
    old = OLD.replace("n > 2", "n > 9")
    assert ask([row(n=7)], old, old).report.outcomes["same"] == 1
    new = old.replace("n == 7", "n > 6")
    assert ask([row(n=7)], new, old).report.outcomes["unjudged"] == 1


def test_a_level_that_changed_is_put_down_to_the_settings(ask: Run) -> None:
    old, new = (f"levels: {{default: {{max_tokens: {cap}}}}}\n" for cap in (100, 50))
    rows = [row(max_tokens=80), row(account="b", completion_tokens=20)]
    report = ask(rows, new, old, level="default", tier="default").report
    assert report.outcomes["changed"] == 1
    assert line(report, "settings").counts == {"changed": 1}


def test_a_limit_that_changed_refuses_others(ask: Run) -> None:
    text = (
        "tiers:\n  default:\n"
        "    - {name: it, scope: account, unit: requests, amount: 3, period: 60}\n"
    )
    rows = [row(after=i) for i in range(3)]
    report = ask(rows, text.replace("3,", "1,"), text, tier="default").report
    assert report.outcomes["newly_refused"] == 2
    assert line(report, "limit default: it").counts == {"newly_refused": 2}
