use jobq::{Context, Perform};

struct Charge;

impl Perform for Charge {
    type Output = ();

    async fn perform(self, ctx: Context) {
        drop((self, ctx));
    }
}

fn main() {}
