/* step.h: what happens at each access to the shared memory (ipc.h). */
#ifndef STEP_H
#define STEP_H
void ipc_step(void);
#endif
