// SPDX-License-Identifier: MIT OR GPL-2.0-only
//
// Writes a row for each control group of a hierarchy: the counters that vmtop otherwise reads from the files of each.
// One read() of the iterator fills the table. Rows only tell whether anything has moved since the last one; values are
// read from the files (docs/decisions/0062-bpf.md).
//
// Declares only the fields of the kernel's structures that it reads: libbpf finds their places in the running kernel.
// Every pointer is followed by bpf_probe_read_kernel(), which fails, instead of faulting, where it leads nowhere.

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define KERNEL __attribute__((preserve_access_index))
#define NOT_MEASURED ~0ULL
#define PENDING 1UL    /* WORK_STRUCT_PENDING */
#define MOST_DEVICES 64 /* block devices that are looked at in one group */

typedef struct { __s64 counter; } atomic_long;

struct hlist_node { struct hlist_node *next; } KERNEL;
struct hlist_head { struct hlist_node *first; } KERNEL;
struct work_struct { atomic_long data; } KERNEL;
struct delayed_work { struct work_struct work; } KERNEL;

enum cgroup_subsys_id { cpu_cgrp_id, memory_cgrp_id, io_cgrp_id };
enum psi_states { PSI_IO_SOME, PSI_MEM_SOME, PSI_CPU_SOME };

struct cgroup_subsys_state { struct cgroup *cgroup; } KERNEL;
struct kernfs_node { __u64 id; } KERNEL;
struct task_cputime { __u64 stime; __u64 utime; __u64 sum_exec_runtime; } KERNEL;
struct cgroup_base_stat { struct task_cputime cputime; } KERNEL;
struct psi_group { _Bool enabled; struct delayed_work avgs_work; __u64 total[2]; } KERNEL;

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_subsys_state *subsys[1];
	struct cgroup_base_stat bstat;
	struct psi_group *psi;
} KERNEL;

struct page_counter { atomic_long usage; } KERNEL;
struct mem_cgroup { struct cgroup_subsys_state css; struct page_counter memory; } KERNEL;

struct cfs_bandwidth { int nr_periods; int nr_throttled; __u64 throttled_time; } KERNEL;
struct task_group { struct cgroup_subsys_state css; struct cfs_bandwidth cfs_bandwidth; } KERNEL;

struct blkg_iostat { __u64 bytes[3]; __u64 ios[3]; } KERNEL;
struct blkg_iostat_set { struct blkg_iostat cur; } KERNEL;
struct blkcg_gq { struct hlist_node blkcg_node; struct blkg_iostat_set iostat; } KERNEL;
struct blkcg { struct cgroup_subsys_state css; struct hlist_head blkg_list; } KERNEL;

struct bpf_iter_meta { __u64 seq_num; } KERNEL;
struct bpf_iter__cgroup { struct bpf_iter_meta *meta; struct cgroup *cgroup; } KERNEL;

/* The layout that cgroup_rows.py reads. The first row is a heading: `id` counts the rows that follow, or would if there
 * were room, and `moving` is 1 once the last has been written. */
struct row {
	__u64 id;            /* inode of the group's directory */
	__u64 moving;        /* 0, or the time, where the group may do something that its counters do not show yet */
	__u64 cpu_ns;
	__u64 user_ns;       /* as counted; cpu.stat scales this and the next one to fit cpu_ns */
	__u64 system_ns;
	__u64 stall_cpu_ns;  /* as of the kernel's last two-second average; NOT_MEASURED where pressure is off */
	__u64 stall_other_ns;
	__u64 memory_pages;
	__u64 disk_bytes;
	__u64 disk_operations;
	__u64 quota_periods; /* and how many of them were throttled, in the upper half */
	__u64 throttled_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct row);
} rows SEC(".maps");

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define OUTER(pointer, type, member) ((type *)((void *)(pointer) - bpf_core_field_offset(type, member)))

/* A group's part of a controller; NULL where it is not enabled. */
#define PART(group, controller)                                                                 \
	(*(struct cgroup_subsys_state **)((void *)(group) + bpf_core_field_offset(struct cgroup, subsys) + \
					  bpf_core_enum_value(enum cgroup_subsys_id, controller) * sizeof(void *)))

/* Adds up what the devices of a group have read, written and discarded. Returns whether that are all of its devices. */
static __always_inline _Bool add_disks(struct row *row, struct blkcg *blkcg)
{
	struct hlist_node *node = BPF_CORE_READ(blkcg, blkg_list.first);
	struct blkg_iostat now;

	for (int i = 0; i < MOST_DEVICES && node; i++) {
		struct blkcg_gq *device = OUTER(node, struct blkcg_gq, blkcg_node);

		if (BPF_CORE_READ_INTO(&now.bytes, device, iostat.cur.bytes) ||
		    BPF_CORE_READ_INTO(&now.ios, device, iostat.cur.ios))
			return 0;
		row->disk_bytes += now.bytes[0] + now.bytes[1] + now.bytes[2];
		row->disk_operations += now.ios[0] + now.ios[1] + now.ios[2];
		node = BPF_CORE_READ(node, next);
	}
	return !node;
}

static __always_inline __u64 stall(struct psi_group *psi, __u32 state)
{
	__u64 total = 0;

	bpf_probe_read_kernel(&total, sizeof(total),
			      (void *)psi + bpf_core_field_offset(struct psi_group, total) + state * sizeof(total));
	return total;
}

SEC("iter/cgroup")
int write_row(struct bpf_iter__cgroup *context)
{
	struct cgroup *group = context->cgroup;
	struct cgroup_subsys_state *css;
	struct psi_group *psi;
	struct row *heading, *row;
	__u32 place = 0;

	heading = bpf_map_lookup_elem(&rows, &place);
	if (!heading)
		return 1;
	if (!group) { /* after the last one */
		heading->moving = 1;
		return 0;
	}
	if (context->meta->seq_num == 0)
		__builtin_memset(heading, 0, sizeof(*heading));
	place = ++heading->id;
	row = bpf_map_lookup_elem(&rows, &place);
	if (!row)
		return 0; /* no room: the heading tells how much is needed */
	__builtin_memset(row, 0, sizeof(*row));
	row->id = group->kn->id;
	row->cpu_ns = group->bstat.cputime.sum_exec_runtime;
	row->user_ns = group->bstat.cputime.utime;
	row->system_ns = group->bstat.cputime.stime;
	psi = group->psi;
	if (psi && BPF_CORE_READ(psi, enabled)) {
		row->stall_cpu_ns = stall(psi, bpf_core_enum_value(enum psi_states, PSI_CPU_SOME));
		row->stall_other_ns = stall(psi, bpf_core_enum_value(enum psi_states, PSI_MEM_SOME)) +
				      stall(psi, bpf_core_enum_value(enum psi_states, PSI_IO_SOME));
		/* The average is due within two seconds while any task has wanted a CPU, memory or a disk since the last one */
		if (BPF_CORE_READ(psi, avgs_work.work.data.counter) & PENDING)
			row->moving = bpf_ktime_get_ns();
	} else {
		row->stall_cpu_ns = NOT_MEASURED;
	}
	css = PART(group, memory_cgrp_id);
	if (css)
		row->memory_pages = BPF_CORE_READ(OUTER(css, struct mem_cgroup, css), memory.usage.counter);
	css = PART(group, cpu_cgrp_id);
	if (css) {
		struct task_group *tasks = OUTER(css, struct task_group, css);

		row->quota_periods = (__u32)BPF_CORE_READ(tasks, cfs_bandwidth.nr_periods) |
				     (__u64)BPF_CORE_READ(tasks, cfs_bandwidth.nr_throttled) << 32;
		row->throttled_ns = BPF_CORE_READ(tasks, cfs_bandwidth.throttled_time);
	}
	css = PART(group, io_cgrp_id);
	if (css && !add_disks(row, OUTER(css, struct blkcg, css)))
		row->moving = bpf_ktime_get_ns();
	return 0;
}
