#!/usr/bin/env bash
# Runs workloads of the benchmark kit with Millrace and with Kafka Streams in turns, and prints how they compare.
#
#   bench/run-kit.sh [options] WORKLOAD...        for example: bench/run-kit.sh --runs 3 b1 b2a b2c b6
#
# Besides the kit's workloads: b3h (hopping windows), b3s (session windows). Their Kafka Streams program and their verifier are
# in bench/windows; run.mjs runs and measures them as the workload with the same input, and its own verdict is replaced.
#
#   --kit DIR         the benchmark kit (default $BENCH_KIT, or ../shared/bench beside the repository); it is copied, never changed
#   --scratch DIR     where the copy, the broker's data and the results go (default ${TMPDIR:-/tmp}/millrace-bench)
#   --runs N          of each program (default 3)
#   --guarantee G     at_least_once | exactly_once_v2; repeatable (default both)
#   --records N       input records (default: the workload's)
#   --transport NAME  kafkajs | socket (default: Millrace's)
#   --port N          of the broker (default 29092); a running one is used, otherwise one is started and stopped
#   --restore         also delete the state after each run and measure the restore
#
# Takes two quiet CPU cores: the broker has the first, the programs have the second.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
kit=${BENCH_KIT:-$here/../../shared/bench} scratch=${TMPDIR:-/tmp}/millrace-bench
runs=3 port=29092 guarantees=() workloads=() kitOptions=() ourOptions=''
while (($#)); do
  case $1 in
    --kit) kit=$2; shift 2 ;;
    --scratch) scratch=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --guarantee) guarantees+=("$2"); shift 2 ;;
    --records) kitOptions+=(--records "$2"); shift 2 ;;
    --transport) ourOptions+=" --transport $2"; shift 2 ;;
    --port) port=$2; shift 2 ;;
    --restore) kitOptions+=(--restore); shift ;;
    -h | --help) sed -n '2,19p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0 ;;
    -*) echo "run-kit: unknown option $1" >&2; exit 2 ;;
    *) workloads+=("$1"); shift ;;
  esac
done
((${#workloads[@]})) || { echo 'run-kit: name at least one workload, such as b1' >&2; exit 2; }
((${#guarantees[@]})) || guarantees=(at_least_once exactly_once_v2)
[[ -f $kit/run.mjs ]] || { echo "run-kit: there is no benchmark kit in $kit; give --kit" >&2; exit 2; }
[[ -f $here/dist/src/main.js ]] || { echo 'run-kit: build first (npm run build)' >&2; exit 2; }

mkdir -p "$scratch"
copy=$scratch/kit
[[ -d $copy ]] || cp -r "$kit" "$copy"
results=$scratch/results/$(date -u +%Y%m%d-%H%M%S).jsonl
mkdir -p "${results%/*}"

broker=$scratch/broker-$port
if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  "$copy/start-broker.sh" --port "$port" --dir "$broker" --cpu 0
  trap '"$copy/stop-broker.sh" --port "$port" --dir "$broker" --wipe' EXIT
fi

ours="exec $here/workload --workload {workload} --brokers {brokers} --app-id {appId} --output {output} --guarantee {guarantee}"
ours+=" --commit-ms {commitMs} --state-dir {stateDir} {extra}$ourOptions"

# kit WORKLOAD GUARANTEE NAME OUT [OPTION…]: one run by the kit.
kit() {
  local workload=$1 guarantee=$2 name=$3 out=$4
  shift 4
  node "$copy/run.mjs" --workload "$workload" --guarantee "$guarantee" --name "$name" --runs 1 --brokers "127.0.0.1:$port" \
    --broker-dir "$broker" --state-root "$scratch/state" --out "$out" ${kitOptions[@]+"${kitOptions[@]}"} "$@"
}

# one NAME WORKLOAD GUARANTEE [OPTION…]: a failed run is in the results too, and the rest goes on.
one() {
  local name=$1 workload=$2 guarantee=$3 options=()
  shift 3
  [[ $workload != b7 ]] || options=(--latency 1000 --extra '--cache-bytes 0 --linger-ms 5')
  echo "run-kit: $name $workload $guarantee" >&2
  kit "$workload" "$guarantee" "$name" "$results" ${options[@]+"${options[@]}"} "$@" || echo "run-kit: that run failed" >&2
}

# windowed NAME WORKLOAD GUARANTEE COMMAND: one run of a workload that the kit does not know, with the input of one that it knows.
declare -A inputOf=([b3h]=b3 [b3s]=b2a)
windowed() {
  local name=$1 workload=$2 guarantee=$3 command=${4//'{workload}'/$2} line=$scratch/run.jsonl noted=$scratch/app-id app
  rm -f "$line" "$noted"
  echo "run-kit: $name $workload $guarantee" >&2
  # Its output must be kept for our verifier; the kit's verifier says that it is wrong.
  kit "${inputOf[$workload]}" "$guarantee" "$name" "$line" --keep --app "echo {appId} >'$noted'; $command" >/dev/null || true
  app=$(<"$noted")
  node "$here/dist/windows/judge-run.js" --workload "$workload" --brokers "127.0.0.1:$port" --output "$app-out" \
    --result "$line" --into "$results" || echo "run-kit: that run failed" >&2
  rm -rf "$scratch/state/${app:?}"
  java -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$copy/target/bench.jar:$copy/target/libs/*" bench.Main cleanup --brokers "127.0.0.1:$port" --app-id "$app"
}

theirs="exec java -Xmx2g -XX:+UseG1GC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '$scratch/classes:$copy/target/libs/*'"
theirs+=' WindowedStreams {workload} {brokers} {appId} {output} {guarantee} {commitMs} {stateDir}'
for workload in "${workloads[@]}"; do
  [[ ! -v inputOf[$workload] ]] || javac -cp "$copy/target/libs/*" -d "$scratch/classes" "$here/windows/WindowedStreams.java"
done

for workload in "${workloads[@]}"; do
  for guarantee in "${guarantees[@]}"; do
    for ((run = 1; run <= runs; run++)); do
      if [[ -v inputOf[$workload] ]]; then
        windowed millrace "$workload" "$guarantee" "$ours"
        windowed java-streams "$workload" "$guarantee" "$theirs"
      else
        one millrace "$workload" "$guarantee" --app "$ours"
        one java-streams "$workload" "$guarantee"
      fi
    done
  done
done

echo "results: $results" >&2
node "$here/dist/src/kit-table/print-kit-table.js" "$results"
