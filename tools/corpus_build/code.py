"""Functions with their documentation, from packages of PyPI, npm and Debian 12."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from corpus_build.clean import Seen, clean
from corpus_build.fetch import debian, npm, pypi
from corpus_build.licences import Licences, debian_licence, package_licence
from corpus_build.snippets import LANGUAGES, functions
from corpus_build.store import Draft, SetDraft

__all__ = ["code"]

_MOST = 80  # snippets a package
_FILES = 600  # files that are read of a package, evenly over its tree

_PYPI = """
aiohttp==3.14.5 arrow==1.4.0 astropy==8.0.2 babel==2.18.0 biopython==1.88 boltons==26.2.0
celery==5.7.0 dbt-adapters==1.24.5 dbt-bigquery==1.12.1 dbt-snowflake==1.12.4 dbt-spark==1.11.0
dbt-postgres==1.11.0 dbt-redshift==1.11.1 discord-py==2.7.1 django==6.1.3 flask==3.1.3
geopy==2.5.0 gymnasium==1.4.0 holidays==0.108 httpx==0.28.1 lifelines==0.30.3 mesa==3.5.1
mido==1.3.3 more-itertools==11.2.1 moviepy==2.2.1 mpmath==1.4.1 music21==10.5.1 networkx==3.7
nltk==3.10.4 openpyxl==3.1.5 phonenumbers==9.0.43 pypdf==7.1.0 pyportfolioopt==1.6.0
python-docx==1.2.0 qiskit==2.6.1 quantstats==0.0.86 requests==2.34.2 rich==15.0.0
scikit-learn==1.9.1 scrapy==2.19.0 seaborn==0.13.2 simpy==4.1.2 spacy==3.8.18 sqlalchemy==2.1.9
sqlglot==30.30.0 statsmodels==0.15.0 sympy==1.14.0 textual==8.2.8 toolz==1.2.0
tornado==6.6.1 xarray==2026.9.0 xlsxwriter==3.3.1 yfinance==1.7.0
"""
_NPM = """
@capacitor/android@8.5.2 @capacitor/ios@8.5.2 @babel/traverse@8.1.2 async@3.2.6 chart.js@4.6.1
compromise@14.17.0 cordova-android@15.1.0 d3-array@3.2.5 d3-geo@3.1.2 date-fns@4.4.0
eslint@10.15.0 express@5.3.0 fabric@7.4.0 immutable@5.2.1 jquery@4.0.0 knex@3.3.0 konva@10.9.1
leaflet@1.9.4 lodash@4.18.1 luxon@3.7.2 mathjs@15.2.0 matter-js@0.20.0 ml-matrix@6.15.1
mongoose@9.12.1 natural@8.1.1 papaparse@5.7.1 phaser@4.2.1 ramda@0.32.0 react-native-svg@15.15.5
rxjs@7.8.2 sequelize@6.37.8 simple-statistics@7.12.1 socket.io@4.8.4 three@0.187.0 tone@15.5.44
underscore@1.13.8 validator@13.15.35
"""
_DEBIAN = """
bats=1.8.2-1 catch2=2.13.10-1 dehydrated=0.7.0-3 git-extras=6.5.0-1
golang-github-gin-gonic-gin-dev=1.8.1-1 golang-github-go-chi-chi-dev=5.0.7-1
golang-github-gorilla-mux-dev=1.8.0-1 golang-github-prometheus-client-golang-dev=1.14.0-3
golang-github-spf13-cobra-dev=1.6.1-1 golang-github-stretchr-testify-dev=1.8.1-1
golang-golang-x-tools-dev=1:0.5.0+ds-1 libcli11-dev=2.1.2+ds-1 libfmt-dev=9.1.0+ds1-2
libglm-dev=0.9.9.8+ds-6 librust-chrono-dev=0.4.23-2
librust-itertools-dev=0.10.3-1 librust-nom-dev=7.1.1-1
librust-num-bigint-dev=0.4.3-2 librust-petgraph-dev=0.6.2-1 librust-rayon-dev=1.6.1-1
librust-regex-dev=1.7.1-1 librust-tokio-dev=1.24.2-1 libspdlog-dev=1:1.10.0+ds-0.4
libstb-dev=0.0~git20220908.8b5f1f3+ds-1 lua-penlight=1.13.1-3 neofetch=7.1.0-4
nlohmann-json3-dev=3.11.2-2 php-doctrine-inflector=2.0.6-1 php-guzzlehttp-psr7=2.4.5-1+deb12u1
php-monolog=2.9.1-1 php-nesbot-carbon=2.65.0-1+deb12u1 php-ramsey-uuid=4.6.0-1
php-twig=3.5.1-1+deb12u3 postgresql-15=15.20-0+deb12u1 rbenv=1.1.2-1
ruby-actionpack=2:6.1.7.10+dfsg-1~deb12u3 ruby-activerecord=2:6.1.7.10+dfsg-1~deb12u3
ruby-activesupport=2:6.1.7.10+dfsg-1~deb12u3 ruby-build=20220426-1 ruby-rack=2.2.22-0+deb12u2
ruby-sinatra=3.0.5-3+deb12u1 shunit2=2.1.8-3 zsh-autosuggestions=0.7.0-1
"""


def code(cache: Path, seen: Seen) -> SetDraft:
    """At most 80 functions a package, of 220 to 1,800 characters, evenly over its files."""
    licences, pool = Licences(), Draft("code")
    about, languages = [], Counter[str]()
    for registry, name, version in _packages():
        if registry == "PyPI":
            root = pypi(cache, name, version)
            licence = package_licence(root)
        elif registry == "npm":
            root = npm(cache, name, version)
            licence = package_licence(root)
        else:
            root = debian(cache, name, version)
            licence = debian_licence(root, name)
        about.append(f"  {registry} {name} {version}: {licences.add(f'{name} {version}', licence)}")
        for language, text in _chosen(root, seen):
            pool.add(text, f"{name} {version} ({language})", name)
            languages[language] += 1
    source = f"""
package: {len(about)} packages of PyPI, npm and Debian 12:
{chr(10).join(about)}
licence: permissive, each as above; full texts in LICENSES.txt
holds: code: functions, macros and types with the comment or docstring that documents them:
  {", ".join(f"{n} {language}" for language, n in languages.most_common())}
selection: of 220 to 1,800 characters; evenly over the files, at most {_MOST} a package; those with
  addresses left out
group: the package; the source names the language too
"""
    return SetDraft("code", source, licences.texts(), [pool])


def _packages() -> list[tuple[str, str, str]]:
    found = [("PyPI", *item.split("==")) for item in _PYPI.split()]
    found += [("npm", *item.rsplit("@", 1)) for item in _NPM.split()]
    return [*found, *(("Debian", *item.split("=", 1)) for item in _DEBIAN.split())]


def _chosen(root: Path, seen: Seen) -> list[tuple[str, str]]:
    """Language and text of the functions of one package that ship."""
    files = [p for p in sorted(root.rglob("*")) if _worth_reading(p)]
    step = max(1.0, len(files) / _FILES)
    found = []
    for path in (files[int(i * step)] for i in range(min(_FILES, len(files)))):
        for text in functions(path):
            cleaned = clean(text)
            if cleaned is not None and seen.new(cleaned, length=12):
                found.append((LANGUAGES[path.suffix], cleaned))
    step = max(1.0, len(found) / _MOST)
    return [found[int(i * step)] for i in range(min(_MOST, len(found)))]


def _worth_reading(path: Path) -> bool:
    made = {"tests", "test", "locale", "dist", "umd", "cjs", "doc", "_vendor", "vendor"}
    return (
        path.suffix in LANGUAGES
        and path.is_file()
        and not path.is_symlink()
        and not made & set(path.parts)
        and ".min." not in path.name
        and path.stat().st_size < 400_000
    )
