//! Every row in its short size. A row that judges times or adoptions runs alone.

use faults::row::Plan;
use faults::turn::Turn;

macro_rules! row {
    ($name:ident, $turn:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let _turn = Turn::$turn().await;
            let figures = faults::rows::$name::ROW.run(Plan::short()).await;
            println!("{figures}");
        }
    };
}

row!(n1, shared);
row!(n2, alone);
row!(n3, alone);
row!(n4, alone);
row!(n5, alone);
row!(p1, alone);
row!(p2, alone);
row!(p3, alone);
row!(p4, alone);
row!(p5, alone);
row!(p6, alone);
row!(p7, shared);
row!(p8, alone);
row!(p9, alone);
row!(p10, shared);
row!(p11, shared);
row!(m3, shared);
row!(m6, alone);
row!(m1, shared);
row!(m2, shared);
row!(m4, alone);
row!(m5, shared);
row!(r1, alone);
row!(r2, alone);
row!(r3, alone);
row!(r4, alone);
row!(r5, shared);
row!(r6, alone);
row!(r7, shared);
row!(r8, shared);
row!(r9, alone);
