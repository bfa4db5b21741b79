"""From a hospital's files to reports and studies: pure functions over files, no database.

Every format has one reader of the same shape: `find(source)` gives the portions of a source, `load(source,
portion)` what one portion holds: reports and rejections, or studies and faults.
"""
