/*
 * irq.c: see irq.h. Lines of the board, on their way to a guest's controller and back.
 */
#include "irq.h"

#include "board.h"
#include "partition.h"
#include "sched.h"
#include "storm.h"

void irq_acknowledge(const struct vcpu *v, uint32_t bits)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t i;

    for (i = 0; i < config->irq_count; i++) { /* loop: most.interrupts */
        if ((bits & IRQ_BIT(config->irq[i].guest_line)) != 0) {
            board_irq_unmask(config->irq[i].line);
            if (VM_STORMS && !storm_acknowledge(v, i)) { /* acknowledged it is: an edge from now on counts, later */
                board_irq_mask(config->irq[i].line);
            }
        }
    }
}

void irq_route(uint32_t line)
{
    uint32_t i, k;

    for (i = 0; i < VM_COUNT; i++) { /* loop: VM_COUNT */
        for (k = 0; k < vm_config[i].irq_count; k++) { /* loop: most.interrupts */
            if (vm_config[i].irq[k].line == line) {
                if (VM_STORMS) {
                    storm_count(&vcpu[i], k);
                }
                sched_road_of(&vcpu[i]);
                irq_raise(&vcpu[i], vm_config[i].irq[k].guest_line);
            }
        }
    }
}
