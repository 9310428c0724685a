//! The contract of `jobq::broker`, case by case, on every broker: one module per verb. A failure
//! reads `redis::claim::oldest_first`.
//!
//! A case is an async function of a fresh [`Fixture`]; one that is missing from the list below is
//! dead code, which the compiler reports.

mod adopt;
mod cancel;
mod caps;
mod claim;
mod enqueue;
mod examine;
mod fence;
mod fixture;
mod inspect;
mod leave;
mod promote;
mod purge;
mod reconcile;
mod register;
mod renew;
mod report;
mod run_now;
mod settle;
mod suspects;
mod sweep;
mod take_dead;
mod wait;
mod withdraw;

use fixture::Fixture;

macro_rules! cases {
    ($($broker:ident: $verbs:tt)*) => {
        $(mod $broker { verbs!($broker $verbs); })*
    };
}

macro_rules! verbs {
    ($broker:ident { $($verb:ident: $cases:tt)* }) => {
        $(mod $verb { each!($broker $verb $cases); })*
    };
}

macro_rules! each {
    ($broker:ident $verb:ident { $($case:ident)* }) => {
        $(#[tokio::test]
        async fn $case() {
            let fixture = crate::Fixture::$broker().await;
            support::within("the end of the case", crate::$verb::$case(fixture)).await;
        })*
    };
}

macro_rules! on_every_broker {
    ($verbs:tt) => {
        cases! { memory: $verbs redis: $verbs }
    };
}

on_every_broker! {{
    enqueue: {
        keeps_the_order_of_a_batch
        puts_new_jobs_behind_older_ones
        keeps_equal_elements_apart
        carries_any_bytes
        carries_any_bytes_through_delayed
        puts_delayed_jobs_aside
        a_time_in_the_past_goes_through_delayed
        a_zero_delay_goes_through_delayed
        sorts_a_batch_by_when_each_is_due
        an_equal_delayed_element_takes_the_time_given_last
        a_time_beyond_all_calendars_stays_last
        takes_a_thousand_at_once
        an_empty_batch_adds_nothing
        queues_do_not_share_jobs
        goes_on_while_the_queue_is_paused
        signals_an_earlier_first_of_delayed
    }
    claim: {
        oldest_first
        takes_no_more_than_asked_for
        takes_a_thousand_at_once
        tokens_are_the_counter_and_the_place
        an_empty_queue_gives_nothing_and_is_joined
        every_claim_raises_the_counter
        the_counter_passes_what_the_worker_knows
        the_counter_passes_what_is_stored
        one_who_knows_a_counter_and_is_no_member_is_reaped
        one_being_adopted_is_reaped
        one_that_was_adopted_is_reaped
        one_who_is_reaped_changes_nothing
        two_workers_never_share_a_job
        a_claim_sent_again_gives_other_jobs
        takes_the_handoff_first
        what_is_left_of_the_handoff_goes_back_to_the_front
        zero_takes_nothing_and_gives_the_handoff_back
        stops_at_eight_mebibytes
        stops_at_eight_mebibytes_of_the_handoff_too
        takes_a_job_over_the_bound_alone
        what_is_due_comes_first_by_its_time
        what_is_due_at_one_time_comes_by_its_bytes
        the_handoff_comes_before_what_is_due
        promotes_at_most_a_hundred
        promotes_nothing_early
        tells_how_long_until_the_next_is_due
        a_paused_queue_gives_nothing_and_says_so
        a_paused_queue_takes_the_handoff_back
        a_paused_queue_still_promotes
    }
    suspects: {
        a_plain_claim_leaves_them_and_counts_them
        one_who_asks_gets_the_oldest_alone
        one_who_asks_for_one_gets_no_other_job
        one_who_asks_for_one_and_wants_no_job_gets_none
        asking_for_one_leaves_the_handoff_alone
        a_paused_queue_gives_none
        one_in_flight_is_adopted_like_any_other
    }
    settle: {
        ack_ends_a_job
        retry_puts_the_rewritten_job_into_delayed
        a_retry_without_delay_is_the_next_job
        bury_puts_the_record_first_into_dead
        released_jobs_keep_their_order_at_the_front
        a_release_may_rewrite_the_job
        released_suspects_queue_at_the_back
        equal_elements_are_settled_apart
        a_mixed_batch_is_answered_one_by_one
        takes_a_thousand_of_each_kind_at_once
        an_empty_batch_changes_nothing
        a_round_settles_before_it_claims
        a_round_answers_each_part_by_itself
        a_round_of_nothing_answers_nothing
        an_equal_element_in_delayed_takes_the_time_of_the_retry
    }
    cancel: {
        claims_say_that_there_are_some
        which_ones_is_answered_in_the_order_of_the_question
        a_thousand_are_asked_for_at_once
        moves_no_job
        sent_again_it_changes_nothing
        each_queue_has_its_own
        one_too_many_drops_the_one_cancelled_longest_ago
        one_too_many_drops_the_same_one_if_all_wait_for_one_job
        it_counts_however_late_a_job_is_due
        a_dead_job_that_is_put_back_is_cancelled_no_more
        a_dead_job_that_is_not_put_back_stays_cancelled
        a_job_that_is_run_now_is_cancelled_no_more
        it_outlives_the_job_and_what_comes_after_it
    }
    caps: {
        drop_the_oldest_beyond_a_count
        drop_the_oldest_beyond_a_size
        the_size_counts_what_was_taken_out_no_more
        drop_what_is_older_than_an_age
        keep_what_tells_no_age
        narrower_ones_drop_what_wider_ones_kept
        drop_nothing_where_nothing_is_buried
    }
    fence: {
        a_second_settle_is_stale
        a_settle_sent_again_acts_once
        a_token_never_given_out_is_stale
        a_settle_after_an_adoption_is_stale
        a_settle_resent_after_the_job_was_claimed_again_is_stale
        another_workers_token_is_stale
        another_queues_token_is_stale
        what_a_partial_adoption_left_is_still_the_owners
        a_large_batch_sent_again_is_answered_one_by_one
        a_large_batch_of_one_half_adopted_is_answered_one_by_one
        who_is_no_member_is_told_so_with_what_is_stale
    }
    renew: {
        raises_the_counter
        joins_a_worker_that_is_new
        answers_what_the_worker_owns
        sent_again_it_only_counts_on
        the_counter_passes_what_the_worker_knows
        shares_its_counter_with_claims
        one_who_knows_a_counter_and_is_no_member_is_reaped
        one_being_adopted_is_reaped
        one_that_was_adopted_is_reaped
    }
    report: {
        adds_up_by_name
        sent_again_it_counts_once
        of_one_who_is_no_member_counts_nothing
        late_after_the_worker_has_left_counts_nothing
        of_one_being_adopted_counts_nothing
        of_others_are_still_known
        keeps_a_thousand_names_and_the_rest_together
        the_name_of_the_rest_is_none_of_the_thousand
        the_name_of_the_rest_takes_no_place_in_the_report_that_fills_the_thousand
        carries_any_name
        an_empty_one_counts_nothing
    }
    register: {
        what_was_told_last_is_kept
        it_says_when_it_was_told
        one_who_has_gone_is_forgotten
        one_who_was_silent_for_too_long_is_not_told_of
        many_are_told_of_page_by_page
        an_order_reaches_its_worker_and_no_other
        an_order_to_nobody_is_refused
        an_order_goes_with_its_worker
        to_be_quiet_does_not_take_the_place_of_to_stop
    }
    promote: {
        the_first_who_asks_takes_office
        another_is_refused_and_moves_nothing
        each_queue_has_its_own_office
        one_who_leaves_gives_the_office_up
        one_who_leaves_without_the_office_does_not_free_it
        an_office_not_kept_passes_on
        what_is_due_goes_to_the_front_by_its_time
        a_worker_that_is_no_member_may_promote
        moves_at_most_a_hundred
        what_is_not_due_stays
        what_becomes_due_is_moved_then
        a_paused_queue_is_promoted_too
        sent_again_it_moves_nothing_twice
    }
    adopt: {
        takes_what_is_in_flight
        the_handoff_goes_back_to_the_front_of_ready
        a_huge_handoff_goes_back_in_parts
        a_handoff_that_goes_back_wakes_another
        one_that_is_refused_leaves_the_handoff
        keeps_the_order_of_the_old_tokens
        what_was_adopted_is_settled_by_the_adopter
        the_target_is_no_member_any_more
        the_adopters_counter_rises
        the_adopters_counter_passes_what_it_knows
        refuses_a_living_worker
        refuses_every_other_counter
        refuses_one_that_has_just_joined
        refuses_one_that_was_a_member_and_is_gone
        an_adopter_that_was_reaped_changes_nothing
        an_adopter_being_adopted_is_reaped
        an_adopter_may_join_by_it
        one_that_owns_nothing_is_removed
        a_part_leaves_the_target_at_zero
        a_part_that_takes_all_leaves_nothing
        what_one_began_another_finishes
        adopters_are_adopted
        sent_again_it_takes_nothing_twice
        of_two_at_once_one_gets_all
        equal_elements_are_all_taken
        stops_at_eight_mebibytes
        takes_a_job_over_the_bound_alone
        takes_more_than_a_thousand_in_parts
        takes_each_of_very_many_once
        touches_no_other_queue
        nobody_adopts_itself
        one_who_joins_after_it_gets_new_tokens
        one_who_joins_by_a_renew_after_it_gets_new_tokens
        one_who_joins_by_an_adoption_after_it_gets_new_tokens
        an_adopter_whose_last_answer_was_lost_gets_new_tokens
        promotes_nothing
    }
    sweep: {
        the_sweep_puts_back_what_was_handed_after_the_end
        a_sweep_in_parts_goes_on_as_any_other
        the_sweep_refuses_a_member
        the_sweep_of_one_that_owns_nothing_finds_nothing
    }
    leave: {
        ends_the_membership
        is_refused_with_a_job_in_flight
        is_refused_with_a_job_in_the_handoff
        sent_again_it_is_still_gone
        one_that_never_joined_is_gone
        one_being_adopted_may_not_leave
        others_stay
        a_claim_from_before_it_is_reaped
        one_who_joins_again_gets_new_tokens
    }
    reconcile: {
        members_have_their_counters
        a_queue_nobody_joined_has_no_members
        owners_are_those_with_jobs_members_or_not
        one_that_settled_all_owns_nothing
        a_scan_finds_every_owner_of_this_queue_alone
        held_are_the_tokens_of_one_worker
        what_is_handed_is_not_held
        a_claim_without_an_answer_is_found_and_released
        an_adoption_without_an_answer_is_found
    }
    wait: {
        hands_over_at_once_what_is_ready
        wakes_when_a_job_comes
        a_job_handed_over_counts_as_in_flight
        one_job_wakes_one_waiter
        as_many_jobs_wake_as_many_waiters
        an_interrupt_ends_it
        an_interrupt_ends_no_other_workers_wait
        an_interrupt_before_it_ends_the_next_one_alone
        it_can_be_used_again_after_an_interrupt
        it_ends_when_its_time_is_up
        no_time_is_not_for_ever
        a_released_job_wakes
        a_promoted_job_wakes
        a_handoff_given_back_wakes_another
        a_paused_queue_hands_over_and_the_claim_puts_it_back
        suspects_wake_nobody
    }
    inspect: {
        queues_are_those_enqueued_to_sorted
        queues_are_those_too_that_no_job_was_put_on
        a_new_queue_is_empty
        stats_count_every_place
        a_page_of_large_jobs_has_fewer
        ready_is_paged_from_the_front
        ready_is_paged_from_the_back_past_what_moves
        suspects_are_paged_from_the_front
        the_oldest_is_a_suspect_where_ready_is_empty
        delayed_is_paged_by_time
        in_flight_is_paged_by_worker_and_token
        dead_is_paged_newest_first
        a_page_beyond_the_end_is_empty
        pause_and_resume_may_be_sent_again
        a_pause_holds_for_one_queue
    }
    examine: {
        only_a_server_has_something_to_say
        the_keys_of_a_queue_are_what_they_should_be
        owners_are_found_on_every_queue
        whoever_owns_the_store_lacks_no_right
        asking_moves_nothing
    }
    take_dead: {
        a_record_is_taken_out
        a_job_goes_to_the_back_of_ready
        a_record_that_is_not_there_changes_nothing
        sent_again_it_takes_nothing_twice
        several_keep_their_order_and_pass_over_what_is_gone
        takes_a_thousand_at_once
        nothing_to_take_changes_nothing
        of_equal_records_the_first_from_the_nearer_end_is_taken
        equal_records_are_taken_one_by_one
        what_is_put_back_is_no_record_to_take
        what_was_not_taken_still_counts_for_the_caps
        what_was_taken_counts_for_no_cap_any_more
        the_old_end_is_read_oldest_first
        what_is_buried_later_does_not_shift_the_old_end
        a_job_that_goes_back_wakes
    }
    purge: {
        ready_goes_with_the_suspects
        suspects_go_alone
        delayed_goes_whole
        dead_goes_whole_and_counts_for_no_cap_any_more
        what_is_in_flight_stays_its_workers
        an_empty_queue_has_nothing_to_purge
        sent_again_it_removes_what_has_come_since
        touches_no_other_queue
        what_comes_afterwards_is_claimed_as_ever
    }
    run_now: {
        goes_to_the_front_of_ready
        sent_again_it_moves_nothing_twice
        what_is_not_delayed_stays_where_it_is
        waits_where_the_queue_is_paused
        wakes_who_waits
        carries_any_bytes
        a_delayed_job_is_found_by_its_id
        ids_of_any_bytes_are_found_and_no_others
        an_id_at_another_place_is_not_found
        only_delayed_is_searched
        one_among_thousands_is_found
    }
    withdraw: {
        a_ready_job_goes_and_the_others_keep_their_order
        a_suspect_goes_as_one_of_ready_does
        only_the_job_at_its_place_goes
        of_equal_jobs_one_goes
        a_delayed_job_goes_wherever_it_stands
        sent_again_it_takes_nothing_twice
        only_what_waits_can_be_withdrawn
        carries_any_bytes
        one_in_the_depth_of_a_long_queue_goes
    }
}}
