"""``o2c demo``: a day of orders from a stub shop through the real hub to a stub ERP, warehouse and CRM.

The hub runs as the process that ``o2c run`` is, in a project folder of its own; the stubs are HTTP servers here. The
ERP is away for a while, some orders cannot be delivered as they are, two causes are repaired and replayed, and at the
end every number has to add up with what the stubs counted for themselves.
"""
