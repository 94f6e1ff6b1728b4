"""First tests for a flow: which inputs and answers of tasks lead to each of its branches, catches and retries.

The flow is executed with symbolic data (`symbolic`): an input and results of tasks of which nothing is known yet, that
answer whatever is asked of them and remember where they are from. At every choice and task the way is chosen
(`paths`), the conditions on it are collected, and values that meet them are looked for (`constraints`). What comes of it is
tried with the real engine before it is written (`writer`).
"""
