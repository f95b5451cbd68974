# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: a range of exactly as many addresses as pods, the controller killed in the middle.
COUNT=${COUNT:-200}

controller_alive || controller_up
subnet load 10.50.0.0/16 'ipDelayReuse: 0' \
	"ranges: [{rangeStart: 10.50.1.0, rangeEnd: 10.50.1.$((COUNT - 1))}]" | k apply -f - >/dev/null
check "the range is as large as the number of pods" wait_for 20 status_is load free "$COUNT"
start watch watch_records

tests_now_ms begin
pods 1001 $((1000 + COUNT)) load >"$DIR/pods.yaml"
k create -f "$DIR/pods.yaml" >/dev/null &
creating=$!
for n in 20 60 120; do
	wait_for 30 eval "[ \"\$(records | wc -l)\" -ge $n ]"
	controller_bounce
done
wait "$creating"
check "all $COUNT pods are served" wait_for 60 served_is "$COUNT"
tests_now_ms end
echo "# $COUNT pods in $((end - begin)) ms, the controller killed three times"
records >"$DIR/records"
same "distinct addresses" "$COUNT" "$(awk '{ print $2 }' "$DIR/records" | sort -u | wc -l)"
same "distinct MACs" "$COUNT" "$(awk '{ print $3 }' "$DIR/records" | sort -u | wc -l)"
check "none is free" wait_for 5 status_is load free 0

# The controller frozen in the middle of its work; another takes over and goes on; the first wakes up.
frozen=$pid_controller
finish 1001 1040 &
ending=$!
wait_for 10 eval "[ \"\$(records | wc -l)\" -lt $COUNT ]"
kill -STOP "$frozen"
controller_up
pods 1901 1940 load | k create -f - >/dev/null
wait "$ending"
check "frozen in the middle: the next one serves" wait_for 60 have 1901 1940
kill -CONT "$frozen"
frozen_exits() { ! kill -0 "$frozen" 2>/dev/null; }
check "woken, it exits" wait_for 20 frozen_exits
finish 1901 1940
pods 1001 1040 load | k create -f - >/dev/null
check "and the present one goes on" wait_for 60 have 1001 1040

# Half of them end and others come, again with the controller killed in the middle.
for round in 1 2; do
	first=$((1001 + (round - 1) * COUNT)) half=$((COUNT / 2))
	finish "$first" $((first + half - 1)) &
	ending=$!
	wait_for 10 eval "[ \"\$(records | wc -l)\" -lt $((COUNT - 10)) ]"
	controller_bounce
	wait "$ending"
	pods $((1000 + round * COUNT + 1)) $((1000 + round * COUNT + half)) load >"$DIR/pods.yaml"
	k create -f "$DIR/pods.yaml" >/dev/null
	controller_bounce
	finish $((first + half)) $((first + COUNT - 1))
	pods $((1000 + round * COUNT + half + 1)) $((1000 + round * COUNT + COUNT)) load >"$DIR/pods.yaml"
	k create -f "$DIR/pods.yaml" >/dev/null
	check "round $round: all are served" wait_for 90 have $((1001 + round * COUNT)) $((1000 + (round + 1) * COUNT))
	same "round $round: distinct addresses" "$COUNT" \
		"$(records | awk '{ print $2 }' | sort -u | wc -l)"
done

first=$((1001 + 2 * COUNT))
finish "$first" $((first + COUNT - 1))
check "all records are gone" wait_for 60 no_records
check "every address is free again" wait_for 20 status_is load free "$COUNT"
same "no address was ever in two records" "" "$(doubles)"
same "the watch saw them all" "$((3 * COUNT + 80))" \
	"$(watched | awk -F '\t' '$3 != "" { print $2 }' | sort -u | wc -l)"
k delete macvlansubnet -n kube-system load --timeout=20s >/dev/null
