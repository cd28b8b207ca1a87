"""Statistics that carry verdicts; no other room computes a p-value or a Bayes factor by itself.

In: numpy arrays of counts, classes or scores. Out: a statistic with its error, p-values, evidence
in nats, or which nulls to reject. Every function names its null, its assumption and its source,
and has a calibration test under the null. docs/statistics.md says which one to use when.
"""

from stillwatch.statistics.agreement import Agreement, agreement
from stillwatch.statistics.bets import bets_e_value
from stillwatch.statistics.choices import choice_e_values, choice_tail
from stillwatch.statistics.conformal import (
    Calibration,
    calibrate,
    conformal_p_values,
    smoothed_p_values,
)
from stillwatch.statistics.conformal_discoveries import conformal_discoveries
from stillwatch.statistics.e_bh import closed_e_bh, e_bh
from stillwatch.statistics.e_processes import EProcesses, adjust
from stillwatch.statistics.e_values import (
    average,
    e_to_p,
    mixture_calibrator,
    power_calibrator,
    product,
    shafer_calibrator,
)
from stillwatch.statistics.exact_tests import fisher_tail, hypergeometric_tail
from stillwatch.statistics.false_discoveries import (
    Discoveries,
    e_value_discoveries,
    simes_discoveries,
)
from stillwatch.statistics.holders import holders_e_value
from stillwatch.statistics.holm import holm, holm_log10
from stillwatch.statistics.judged_shares import JudgeErrors, judged_interval
from stillwatch.statistics.lattice_tails import lattice_tail
from stillwatch.statistics.log_tails import binomial_tail, gamma_tail
from stillwatch.statistics.martingales import Watch, calibration_slack
from stillwatch.statistics.means import (
    mean_e_value,
    mean_interval,
    mean_upper_bound,
    student_upper_bound,
)
from stillwatch.statistics.mixtures import Profiles, fit_profiles, shared_profile
from stillwatch.statistics.online_e_bh import ELond, OnlineEBH, discounts
from stillwatch.statistics.paired_shares import difference_interval, mcnemar_tail
from stillwatch.statistics.pairs import count_pairs
from stillwatch.statistics.pooled_tails import PooledTails
from stillwatch.statistics.proportions import share_interval, upper_bound
from stillwatch.statistics.recovered_shares import recovered_share
from stillwatch.statistics.score_laws import (
    BernoulliScores,
    ExponentialScores,
    LatticeScores,
    ScoreLaw,
)
from stillwatch.statistics.scored_choices import scored_tails
from stillwatch.statistics.shares import excess, rarity_of_repeats
from stillwatch.statistics.sign_flips import sign_flip_tail
from stillwatch.statistics.sign_tails import sign_tail
from stillwatch.statistics.spikes import in_spike
from stillwatch.statistics.volumes import (
    BALANCED,
    INDEPENDENT,
    LEAST_SPREAD,
    balance,
    balance_e_value,
    log_spread,
)
from stillwatch.statistics.weighted_tails import betting_tail, chernoff_tail, saddlepoint_tail

__all__ = [
    "BALANCED",
    "INDEPENDENT",
    "LEAST_SPREAD",
    "Agreement",
    "BernoulliScores",
    "Calibration",
    "Discoveries",
    "ELond",
    "EProcesses",
    "ExponentialScores",
    "JudgeErrors",
    "LatticeScores",
    "OnlineEBH",
    "PooledTails",
    "Profiles",
    "ScoreLaw",
    "Watch",
    "adjust",
    "agreement",
    "average",
    "balance",
    "balance_e_value",
    "bets_e_value",
    "betting_tail",
    "binomial_tail",
    "calibrate",
    "calibration_slack",
    "chernoff_tail",
    "choice_e_values",
    "choice_tail",
    "closed_e_bh",
    "conformal_discoveries",
    "conformal_p_values",
    "count_pairs",
    "difference_interval",
    "discounts",
    "e_bh",
    "e_to_p",
    "e_value_discoveries",
    "excess",
    "fisher_tail",
    "fit_profiles",
    "gamma_tail",
    "holders_e_value",
    "holm",
    "holm_log10",
    "hypergeometric_tail",
    "in_spike",
    "judged_interval",
    "lattice_tail",
    "log_spread",
    "mcnemar_tail",
    "mean_e_value",
    "mean_interval",
    "mean_upper_bound",
    "mixture_calibrator",
    "power_calibrator",
    "product",
    "rarity_of_repeats",
    "recovered_share",
    "saddlepoint_tail",
    "scored_tails",
    "shafer_calibrator",
    "share_interval",
    "shared_profile",
    "sign_flip_tail",
    "sign_tail",
    "simes_discoveries",
    "smoothed_p_values",
    "student_upper_bound",
    "upper_bound",
]
