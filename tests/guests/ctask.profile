# What one periodic job of CTask executes natively, from one PIT interrupt to the next: the privileged profile of a small
# real-time kernel in the field. `make profile` checks it.
mfSRR0    2   # saved on each of the two ways into the kernel: PIT interrupt and system call
mfSRR1    2
mfPID     2
mtSRR0    1   # loaded on the one way out of it to the task; the idle loop needs none
mtSRR1    1
mtPID     1
rfi       1
sc        1   # end of job
mfmsr     2   # critical section of sched_finish_job(), and the idle loop
wrteei 0  2   # the same critical section, and before SRR0 and SRR1 are loaded
wrteei 1  1   # before the idle loop
mtmsr     1   # idle loop: wait state
mtTSR     3   # acknowledge the interrupt; discard an old expiry each time the PIT is loaded
mtPIT     2   # deadline of the job that begins; next release when it has ended
all      22
kernel 600-650  # instructions; the compiler decides
user  16101     # instructions of the task, its system call included
