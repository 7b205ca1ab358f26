#!/usr/bin/env bash
# Runs the fuzz targets for MINUTES in all on the stable toolchain, and prints for each reader: inputs, how many were
# accepted, faults, and the most memory that one input took. Inputs with faults are written to fuzz/artifacts/.
# With names of targets it runs these alone. `bertlab-fuzz list` names them; fuzz/README.md says more.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:?usage: scripts/fuzz.sh MINUTES [TARGET ...]}
shift
cargo build --release --quiet -p bertlab-fuzz
target=${CARGO_TARGET_DIR:-target}
exec "$target/release/bertlab-fuzz" all "$minutes" "$@"
