/*
 * memory.pml: memory as two ends see it, for the models of hypercalls/ipc. A store is on its way until the bus performs it, in
 * any order with the others of its end; a load takes what is there. ORDER waits for the stores of its end, as ipc_order() does.
 */
#define FREE 255 /* nothing on its way */

/* Stores on their way: each end has one to a place of data, one to its counter; the next to the same is behind it. */
byte data_at[2] = FREE, data_new[2], count_new[2] = FREE;
byte count[2]; /* the counters in memory: the writer's, the reader's */

#define ORDER(e)              (data_at[e] == FREE && count_new[e] == FREE)
#define STORE_COUNT(e, value) atomic { count_new[e] == FREE -> count_new[e] = value }
#define STORE_DATA(e, at, value) atomic { data_at[e] == FREE -> data_at[e] = at; data_new[e] = value }

active proctype bus()
{
end:
    do
    :: atomic { data_at[0] != FREE -> data[data_at[0]] = data_new[0]; data_at[0] = FREE }
    :: atomic { count_new[0] != FREE -> count[0] = count_new[0]; count_new[0] = FREE }
    :: atomic { count_new[1] != FREE -> count[1] = count_new[1]; count_new[1] = FREE }
    od
}
