use jobq::{Context, Job, Perform};

#[derive(Job)]
struct Charge {
    order: u64,
}

impl Perform for Charge {
    async fn perform(self, ctx: Context) {
        drop((self, ctx));
    }
}

fn main() {}
