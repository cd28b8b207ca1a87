"""Statistics that carry verdicts; no other room computes a p-value or a Bayes factor by itself.

In: numpy arrays of counts or classes. Out: a statistic with its error, or evidence in nats. Every
function names its null, its assumption and its source, and has a calibration test under the null.
"""

from stillwatch.statistics.agreement import Agreement, agreement
from stillwatch.statistics.mixtures import Profiles, fit_profiles, shared_profile
from stillwatch.statistics.pairs import count_pairs
from stillwatch.statistics.proportions import upper_bound
from stillwatch.statistics.shares import excess, rarity_of_repeats
from stillwatch.statistics.volumes import BALANCED, INDEPENDENT, balance, log_spread

__all__ = [
    "BALANCED",
    "INDEPENDENT",
    "Agreement",
    "Profiles",
    "agreement",
    "balance",
    "count_pairs",
    "excess",
    "fit_profiles",
    "log_spread",
    "rarity_of_repeats",
    "shared_profile",
    "upper_bound",
]
